/**
 * Services of other classes: others give them their addresses, from what may be the same pools, so what their statuses
 * name is taken. Where one of them and one of ours hold the same address, the older keeps it: a controller of the other
 * class decides the same, so that exactly one of the two moves.
 */
import type { Key } from '@landfall/kube/model'
import { formatIP, type IP } from '@landfall/netip'
import type { LedgerView } from './ledger.ts'
import { byRequestAge, type Request } from './request.ts'

/**
 * The ledger for a Service that holds these addresses: on them, younger Services of other classes do not count.
 *
 * @param foreign those of other classes that hold anything
 */
export function besidesYounger(
  foreign: ReadonlyMap<Key, Request>,
  ledger: LedgerView,
  request: Request,
  held: readonly IP[],
): LedgerView {
  if (foreign.size === 0 || held.length === 0) return ledger
  const own = new Set(held.map(formatIP))
  const yields = (key: Key) => {
    const other = foreign.get(key)
    return other !== undefined && byRequestAge(request, other) < 0
  }
  return {
    holding: (key) => ledger.holding(key),
    lowest: (pools, family, sharing) => ledger.lowest(pools, family, sharing),
    heldIn: (range) => ledger.heldIn(range),
    obstacles: (ip, key, sharing) => {
      const all = ledger.obstacles(ip, key, sharing)
      return own.has(formatIP(ip)) ? all.filter((other) => !yields(other)) : all
    },
  }
}
