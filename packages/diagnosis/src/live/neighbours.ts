/** The rim: the MAC addresses of the neighbours that this machine has spoken to; none where it is no Linux. */
import { readFile } from 'node:fs/promises'
import { type Neighbours, neighboursIn } from '../trace/neighbour.ts'

export async function readNeighbours(): Promise<Neighbours> {
  return neighboursIn(await readFile('/proc/net/arp', 'utf8').catch(() => ''))
}
