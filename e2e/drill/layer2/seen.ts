/** What the segment shows of the loss of an owner and of its return. Pure. */
import { type Claim, type Conflict, conflicts, firstBy, lastBy, relapses } from '../../segment/claims.ts'

/** Two owners this close together answered at the same time. */
export const conflictMs = 50
/** Who claims an address again this soon after another did has not handed it over. */
export const relapseMs = 1000

/** Times in milliseconds since the epoch. */
export interface Facts {
  readonly ips: readonly string[]
  readonly mac: string
  readonly victim: string
  /** Just before it was told to go. */
  readonly struck: number
  /** Its return began. */
  readonly healed: number
  /** Two sides of one LAN have been one for long enough; undefined: it was no side, and has no word from its return on. */
  readonly settled: number | undefined
  /** It hears that it is alone, and is silent before another answers, be it shortly: it may not answer after that. */
  readonly fenced?: boolean
}

export function observed(claims: readonly Claim[], f: Facts) {
  const settledAt = f.settled ?? f.healed
  const found = f.ips.map((ip) => firstBy(claims, { ip, since: f.struck, notMac: f.mac }))
  const times = found.flatMap((claim) =>
    claim === undefined || claim.at > f.healed ? [] : awayMs(claim, claims, f),
  )
  const answersMs = times.length < f.ips.length ? undefined : Math.max(...times)
  const taken = new Set(claims.filter(({ mac, at }) => mac !== f.mac && at < f.healed).map(({ ip }) => ip))
  const revenant = claims.filter(({ mac, at, ip }) => mac === f.mac && at >= f.healed && taken.has(ip))
  const settled = claims.filter(({ at }) => at >= settledAt)
  const answering = f.ips.map((ip) => macsFor(settled, ip).size)
  const healing = conflicts(claims, conflictMs).filter(({ at }) => at >= f.healed && at < settledAt)
  const both = f.fenced === true ? relapses(claims, relapseMs) : conflicts(claims, conflictMs)
  const conflicting = both.filter(({ at }) => at < f.healed || at >= settledAt)
  return {
    answersMs,
    figures: {
      'claims by the returned': revenant.length,
      'max until ms': Math.max(0, ...healing.map(({ at }) => at - f.healed)),
      'not one owner after return': answering.filter((count) => count !== 1).length,
      'conflicts while one again': healing.length,
      conflicts: conflicting.length,
    },
    complaints: [
      ...(answersMs === undefined ? [`nobody else answered for ${f.ips.join(' and ')}`] : []),
      ...(f.settled !== undefined || revenant.length === 0
        ? []
        : [`${f.victim} claimed ${revenant.length} times after its return what others had taken`]),
      ...answering.flatMap((count, i) =>
        count === 1 ? [] : [`${count} nodes answer for ${f.ips[i]} after ${f.victim} returned`],
      ),
      ...conflictTexts(conflicting),
    ],
  }
}

/** From the victim's own last claim: until then nothing was away, however long the command took that struck it. */
function awayMs({ ip, at }: Claim, claims: readonly Claim[], { mac, struck }: Facts): number {
  return at - Math.max(struck, lastBy(claims, { mac, ip, before: at }) ?? struck)
}

function macsFor(claims: readonly Claim[], ip: string): ReadonlySet<string> {
  return new Set(claims.filter((claim) => claim.ip === ip).map(({ mac }) => mac))
}

const mostTold = 3

export function conflictTexts(all: readonly Conflict[]): readonly string[] {
  return all
    .slice(0, mostTold)
    .map(({ ip, macs, apartMs }) => `${ip}: ${macs[0]} and ${macs[1]} within ${apartMs.toFixed(1)} ms`)
}
