/** Requests that were lost, and among them those whose connection was open when the address moved. Pure. */
import type { Disturbance, LoadResult } from '../../load/load.ts'
import type { Claim } from '../../segment/claims.ts'

export interface Lost {
  readonly lost: readonly Disturbance[]
  /**
   * The new owner's kernel knows nothing of a connection that was made by way of the old one: its packets belong to
   * none, and the endpoint resets it. Whoever announces cannot help that.
   */
  readonly open: readonly Disturbance[]
}

/** A connection of the load is over in less. */
const openMs = 100

export function lostOf(
  loads: readonly { readonly ip: string; readonly result: LoadResult }[],
  claims: readonly Claim[],
): Lost {
  const moves = movesOf(claims)
  const all = loads.map(({ ip, result }) => {
    const wasOpen = ({ atMs, why }: Disturbance): boolean =>
      why === 'ECONNRESET' &&
      (moves.get(ip) ?? []).some((at) => Math.abs(at - (result.startedAt + atMs)) <= openMs)
    return { lost: result.lost.filter((one) => !wasOpen(one)), open: result.lost.filter(wasOpen) }
  })
  return { lost: all.flatMap(({ lost }) => lost), open: all.flatMap(({ open }) => open) }
}

/** When each address was first claimed by another than before. */
function movesOf(claims: readonly Claim[]): ReadonlyMap<string, readonly number[]> {
  const moves = new Map<string, number[]>()
  const holders = new Map<string, string>()
  for (const { ip, mac, at } of claims.toSorted((a, b) => a.at - b.at)) {
    if (holders.has(ip) && holders.get(ip) !== mac) moves.set(ip, [...(moves.get(ip) ?? []), at])
    holders.set(ip, mac)
  }
  return moves
}

export function lostTexts({ lost }: Lost): readonly string[] {
  return lost.length === 0 ? [] : [`${lost.length} requests lost, the first by ${lost[0]?.why}`]
}
