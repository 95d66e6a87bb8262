/** Requests that were lost, and among them those whose connection was open when the address moved. Pure. */
import type { Claim } from '../../segment/claims.ts'
import type { Asked } from './slow.ts'

export interface LostRequest {
  readonly ip: string
  /** When it was sent, milliseconds since the epoch. */
  readonly at: number
  readonly tookMs: number
  readonly why: string
  readonly wasConnected: boolean
  /** The last move of the address until the end of the request, milliseconds since the epoch; undefined: it never moved. */
  readonly movedAt: number | undefined
}

export interface Lost {
  readonly lost: readonly LostRequest[]
  /**
   * The new owner's kernel knows nothing of a connection that was made by way of the old one: its packets belong to
   * none, and are dropped, or the endpoint resets it. Whoever announces cannot help that.
   */
  readonly open: readonly LostRequest[]
}

/** Between the clocks of the load and of the capture. */
const clocksMs = 10
/** From a frame on the bridge to the client's kernel, which on a busy machine has to wait for its turn: 29 ms were seen. */
const followsMs = 100

/** @param began what was over by then is of no concern, milliseconds since the epoch */
export function lostOf(loads: readonly Asked[], claims: readonly Claim[], began: number): Lost {
  const moves = movesOf(claims)
  const all = loads.flatMap(({ ip, result }) =>
    result.lost.map(({ atMs, tookMs, why, wasConnected = false }) => {
      const at = result.startedAt + atMs
      const movedAt = (moves.get(ip) ?? []).findLast((move) => move <= at + tookMs + clocksMs)
      return { ip, at, tookMs, why, wasConnected, movedAt }
    }),
  )
  const meanwhile = all.filter(({ at, tookMs }) => at + tookMs >= began)
  const { open = [], lost = [] } = Object.groupBy(meanwhile, (one) => (wasOpen(one) ? 'open' : 'lost'))
  return { lost, open }
}

function wasOpen({ at, wasConnected, movedAt }: LostRequest): boolean {
  return wasConnected && movedAt !== undefined && movedAt >= at - followsMs
}

/** When each address was claimed by another than before. */
function movesOf(claims: readonly Claim[]): ReadonlyMap<string, readonly number[]> {
  const moves = new Map<string, number[]>()
  const holders = new Map<string, string>()
  for (const { ip, mac, at } of claims.toSorted((a, b) => a.at - b.at)) {
    if (holders.has(ip) && holders.get(ip) !== mac) moves.set(ip, [...(moves.get(ip) ?? []), at])
    holders.set(ip, mac)
  }
  return moves
}

/** @param began what the times count from, milliseconds since the epoch */
export function lostTexts({ lost }: Lost, began: number): readonly string[] {
  return lost.map(({ ip, at, tookMs, why, movedAt }) => {
    const moved = movedAt === undefined ? 'never' : `at ${Math.round(movedAt - began)} ms`
    const [from, to] = [at, at + tookMs].map((ms) => Math.round(ms - began))
    return `a request to ${ip} from ${from} to ${to} ms was lost (${why}); the address moved last ${moved}`
  })
}

/** A request takes some milliseconds, and one is sent each ten. */
const mostOpen = 2

/** More of one load than can have been open when the address moved, had they been answered in time until then. */
export function openTexts(open: readonly LostRequest[], began: number): readonly string[] {
  const moves = Map.groupBy(open, ({ ip, movedAt }) => `${ip} ${movedAt}`)
  return [...moves.values()]
    .filter((ofMove) => ofMove.length > mostOpen)
    .map((ofMove) => {
      const { ip = '', movedAt = 0 } = ofMove[0] ?? {}
      const at = Math.round(movedAt - began)
      return `${ofMove.length} connections to ${ip} were lost that were open when it moved at ${at} ms`
    })
}
