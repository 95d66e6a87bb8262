/** Requests that were answered, but late: which took too long, and how long service was away for them. Pure. */
import type { Gap } from '../../load/gaps.ts'
import type { Disturbance, LoadResult } from '../../load/load.ts'
import { everyMs } from './traffic.ts'

/** Where nothing may be lost: longer than TCP needs to send a packet again, but for the first of a connection. */
export const slowMs = 500
/** As many in time end a gap. */
const goodInRow = 20

export interface Asked {
  readonly ip: string
  readonly result: LoadResult
}

/** @param began what was over by then is of no concern, milliseconds since the epoch */
export function lateOf({ late, startedAt }: LoadResult, began: number): readonly Disturbance[] {
  return late.filter(({ atMs, tookMs }) => startedAt + atMs + tookMs >= began)
}

export function slowFigures(all: readonly Asked[], began: number) {
  const late = all.flatMap(({ result }) => lateOf(result, began))
  return {
    'late by 100 ms': late.length,
    'max slowest ms': Math.max(0, ...late.map(({ tookMs }) => tookMs)),
  }
}

/** One of each load. */
export function slowTexts(all: readonly Asked[], began: number): readonly string[] {
  return all.flatMap(({ ip, result }) => {
    const slow = lateOf(result, began).filter(({ tookMs }) => tookMs > slowMs)
    if (slow.length === 0) return []
    const sent = slow.map(({ atMs }) => Math.round(result.startedAt + atMs - began))
    const longest = Math.max(...slow.map(({ tookMs }) => tookMs))
    return [
      `${slow.length} requests to ${ip}, sent from ${Math.min(...sent)} to ${Math.max(...sent)} ms, took longer than ${slowMs} ms, the longest ${longest} ms`,
    ]
  })
}

/** Each from the first that was lost or late to the first of enough in time, by the time of sending. */
export function disturbedGaps(result: LoadResult, began: number): readonly Gap[] {
  const over = ({ atMs, tookMs }: Disturbance): boolean => result.startedAt + atMs + tookMs < began
  const times = [...result.lost, ...result.late].filter((one) => !over(one)).map(({ atMs }) => atMs)
  const gaps: Gap[] = []
  for (const atMs of times.toSorted((a, b) => a - b)) {
    const last = gaps.at(-1)
    const goesOn = last !== undefined && atMs - last.fromMs - last.lengthMs < goodInRow * everyMs
    const { fromMs, failed } = goesOn ? last : { fromMs: atMs, failed: 0 }
    if (goesOn) gaps.pop()
    gaps.push({ fromMs, lengthMs: atMs + everyMs - fromMs, failed: failed + 1 })
  }
  return gaps
}
