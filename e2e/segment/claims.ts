/** What a capture of a segment proves about who owned an address when. Pure. */
import type { Saying } from './frames.ts'

export interface Claim extends Saying {
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface Conflict {
  readonly ip: string
  readonly macs: readonly [string, string]
  readonly at: number
  readonly apartMs: number
}

/** Two MAC addresses for one address within that time, one for each pair of neighbouring claims. */
export function conflicts(claims: readonly Claim[], withinMs: number): readonly Conflict[] {
  const found: Conflict[] = []
  for (const [ip, own] of byAddress(claims)) {
    for (const [index, { mac, at }] of own.entries()) {
      const before = own[index - 1]
      if (before === undefined || before.mac === mac || at - before.at >= withinMs) continue
      found.push({ ip, macs: [before.mac, mac], at, apartMs: at - before.at })
    }
  }
  return found
}

/** Somebody who claims an address again within that time after another one did: those two did not hand it over. */
export function relapses(claims: readonly Claim[], withinMs: number): readonly Conflict[] {
  const found: Conflict[] = []
  for (const [ip, own] of byAddress(claims)) {
    const turns = own.filter(({ mac }, index) => mac !== own[index - 1]?.mac)
    for (const [index, { mac, at }] of turns.entries()) {
      const [before, between] = [own.findLast((c) => c.mac === mac && c.at < at), turns[index - 1]]
      if (before === undefined || between === undefined || at - between.at >= withinMs) continue
      found.push({ ip, macs: [between.mac, mac], at, apartMs: at - between.at })
    }
  }
  return found
}

/** Who said last that the address is his, of each address. */
export function holders(claims: readonly Claim[], since = 0): ReadonlyMap<string, string> {
  return new Map(claims.filter(({ at }) => at >= since).map(({ ip, mac }) => [ip, mac]))
}

export function firstBy(
  claims: readonly Claim[],
  what: { readonly ip: string; readonly since: number; readonly notMac?: string },
): Claim | undefined {
  return claims.find(({ ip, at, mac }) => ip === what.ip && at >= what.since && mac !== what.notMac)
}

/** When that MAC last claimed the address, or any, before then. */
export function lastBy(
  claims: readonly Claim[],
  what: { readonly mac: string; readonly before: number; readonly ip?: string },
): number | undefined {
  const isIt = ({ ip, mac, at }: Claim) =>
    mac === what.mac && at < what.before && (what.ip === undefined || ip === what.ip)
  return claims.findLast(isIt)?.at
}

/** The longest between those times that nobody answered for the address. */
export function longestPause(
  claims: readonly Claim[],
  what: { readonly ip: string; readonly from: number; readonly to: number },
): number {
  const { from, to } = what
  const answers = claims
    .filter(({ ip, kind, at }) => ip === what.ip && kind === 'answer' && at > from && at < to)
    .map(({ at }) => at)
    .toSorted((a, b) => a - b)
  return [...answers, to].reduce((longest, at, i) => Math.max(longest, at - (answers[i - 1] ?? from)), 0)
}

function byAddress(claims: readonly Claim[]): ReadonlyMap<string, readonly Claim[]> {
  return Map.groupBy(
    claims.toSorted((a, b) => a.at - b.at),
    ({ ip }) => ip,
  )
}
