/** The program `contour` of the image of that name: programs Envoy. Two of its commands go on for longer than a start. */
import { setFlagsFromString } from 'node:v8'
import { run } from '../command.ts'

// Eight seconds after its last collection V8 collects again to give memory back. That is 0.3 s of a processor among
// 25,000 hosts, and as much as all changes of these seconds take. V8 of Node 22 has no such setting, and says so.
if (Number.parseInt(process.versions.node, 10) > 22)
  setFlagsFromString('--gc-memory-reducer-start-delay-ms=300000')

const ended = run('contour')
if (process.argv.some((word) => word === 'serve' || word === 'shutdown-manager'))
  await import('./few-pages.ts')
await ended
