/** The program `controller` of the image of that name: assigns addresses. */
import './small-memory.ts'

// What is shared with other programs would run first, were it imported above.
const { run } = await import('../command.ts')
const ended = run('controller')
await import('./few-pages.ts')
await ended
