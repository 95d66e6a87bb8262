/**
 * The program `speaker` of the image of that name: announces addresses. It is at rest most of the time: one compiler that
 * optimizes instead of two (the other's code, and what its work leaves behind, is some megabytes), and heaps that are
 * collected at rest, not only when they are full. Both count for what is loaded from then on.
 */
import { setFlagsFromString } from 'node:v8'

for (const flag of ['--no-maglev', '--memory-saver-mode']) setFlagsFromString(flag)
const { run } = await import('../command.ts')
await run('speaker')
