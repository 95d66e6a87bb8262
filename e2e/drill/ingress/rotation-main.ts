/**
 * Everything that can be rotated, twice, under load; the figures are a line of JSON. Run in a network of its own by the
 * scenario of rotations; the drill `ingress --part rotation` has more of them, and times.
 */
import { startBackends } from '../../ingress/site.ts'
import { rotateEverything } from './rotation.ts'

const stop = await startBackends()
try {
  process.stdout.write(`${JSON.stringify(await rotateEverything(2))}\n`)
} finally {
  stop()
}
