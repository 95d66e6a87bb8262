/** Where service was away, by the outcomes of requests in the order they were sent. Pure. */

export interface Outcome {
  /** When it was sent. */
  readonly atMs: number
  readonly ok: boolean
}

export interface Gap {
  readonly fromMs: number
  /** To the first of the good requests in a row that end it; to the last request when none do. */
  readonly lengthMs: number
  readonly failed: number
}

export function gapsOf(outcomes: readonly Outcome[], goodInRow: number): readonly Gap[] {
  const gaps: Gap[] = []
  let open: { readonly fromMs: number; failed: number } | undefined
  let good: Outcome[] = []
  for (const outcome of outcomes) {
    if (!outcome.ok) {
      open ??= { fromMs: outcome.atMs, failed: 0 }
      open.failed++
      good = []
      continue
    }
    if (open === undefined) continue
    good.push(outcome)
    if (good.length < goodInRow) continue
    gaps.push({ ...open, lengthMs: (good[0]?.atMs ?? outcome.atMs) - open.fromMs })
    open = undefined
  }
  if (open !== undefined) gaps.push({ ...open, lengthMs: (outcomes.at(-1)?.atMs ?? 0) - open.fromMs })
  return gaps
}
