/**
 * Certificates, authorities and lists of revoked certificates are replaced under 500 requests a second on kept
 * connections, on a site of its own beside the lab, and nobody loses by it: counts, not times. The drill has the times.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { spawnInOwnNetwork } from '../ingress/own-network.ts'

const rotations = join(import.meta.dirname, '..', 'drill', 'ingress', 'rotation-main.ts')

it('what TLS goes by is replaced, of hosts, clients and backends: no request lost, no connection closed', async () => {
  const child = spawnInOwnNetwork([process.execPath, rotations], ['ignore', 'pipe', 'inherit'])
  if (child.stdout === null) throw new Error('no standard output')
  const [line, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect(code).toBe(0)
  const figures: Readonly<Record<string, number>> = JSON.parse(line)
  expect(figures).toMatchObject({ replaced: 8, lost: 0, closed: 0, drained: 0 })
  expect(figures['requests']).toBeGreaterThan(1000)
})
