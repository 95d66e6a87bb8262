/** The program `contour` of the image of that name: programs Envoy. Two of its commands go on for longer than a start. */
import { run } from '../command.ts'

const ended = run('contour')
if (process.argv.some((word) => word === 'serve' || word === 'shutdown-manager'))
  await import('./few-pages.ts')
await ended
