/** How long addresses were not answered for whose owners lived, while somebody else was killed. Pure. */
import { type Claim, longestPause } from '../../segment/claims.ts'

/** Who lives answers on, whoever coordinates. */
const limitMs = 300

/** The longest, by address. */
export type Silence = ReadonlyMap<string, number>

export function silenceOf(
  claims: readonly Claim[],
  ips: readonly string[],
  { from, to }: { readonly from: number; readonly to: number },
): Silence {
  return new Map(ips.map((ip) => [ip, longestPause(claims, { ip, from, to })]))
}

/** None where each address is the victim's. */
export function silenceFigures(silence: Silence): Readonly<Record<string, number>> {
  return silence.size === 0 ? {} : { 'max others silent ms': Math.max(...silence.values()) }
}

/** @param lateMs how late timers were: whoever asks was as late */
export function silenceTexts(silence: Silence, lateMs: number): readonly string[] {
  if (lateMs >= limitMs) return []
  return [...silence]
    .filter(([, pauseMs]) => pauseMs > limitMs)
    .map(([ip, pauseMs]) => `nobody answered for ${ip} for ${Math.round(pauseMs)} ms, though its owner lived`)
}
