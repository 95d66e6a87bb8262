/**
 * The program `speaker` of the image of that name: announces addresses. Its work is short, and it is at rest most of
 * the time: neither of V8's optimizing compilers runs (what they compile to, and what their work leaves behind, is 8 to
 * 15 MiB, and at a takeover they cost more time than they save), heaps grow in small steps, and are collected at rest
 * too. All count for what is loaded from then on.
 */
import { setFlagsFromString } from 'node:v8'

const flags = ['--no-opt', '--no-maglev', '--optimize-for-size']
// V8 of Node 22 has no such mode, and says so.
if (Number.parseInt(process.versions.node, 10) > 22) flags.push('--memory-saver-mode')
for (const flag of flags) setFlagsFromString(flag)
const { run } = await import('../command.ts')
const ended = run('speaker')
await import('./few-pages.ts')
await ended
