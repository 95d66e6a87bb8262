/** The durations of HTTPProxy fields: Go's notation, and `infinity` or `infinite` for no limit. */
import { parseGoDuration } from '@landfall/api'
import type { Limit } from '../cluster.ts'

/** A hundred years: Envoy refuses what it cannot count. */
export const longestMs = 100 * 365 * 24 * 3_600_000

/** 'invalid' for a text that is no duration, or a negative one. Empty and zero mean Envoy's default. */
export function readLimit(text: string | undefined): Limit | 'invalid' {
  if (text === undefined || text === '') return undefined
  if (text === 'infinity' || text === 'infinite') return 'infinite'
  const seconds = parseGoDuration(text)
  if (seconds === undefined || seconds < 0) return 'invalid'
  return seconds === 0 ? undefined : Math.min(longestMs, Math.max(1, Math.round(seconds * 1000)))
}
