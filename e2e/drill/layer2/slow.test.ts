import { expect, test } from 'vitest'
import type { Disturbance, LoadResult } from '../../load/load.ts'
import { disturbedGaps, slowFigures, slowTexts } from './slow.ts'

const ip = '192.0.2.1'
const began = 1200

type Times = readonly (readonly [atMs: number, tookMs: number])[]

/** It started 200 ms before what is judged. */
function asked(late: Times, lost: Times = []): LoadResult {
  const disturbances = (times: Times): readonly Disturbance[] =>
    times.map(([atMs, tookMs]) => ({ atMs, tookMs, why: '' }))
  return {
    sent: 1,
    answered: 1,
    lost: disturbances(lost),
    late: disturbances(late),
    gaps: [],
    startedAt: 1000,
    medianMs: 0,
    longestMs: 0,
    tickerLateMs: 0,
  }
}

/** One each 10 ms, all answered at the same time. */
function heldUp(fromMs: number, toMs: number): Times {
  return Array.from({ length: (toMs - 100 - fromMs) / 10 }, (_, i) => [
    fromMs + i * 10,
    toMs - fromMs - i * 10,
  ])
}

test('a request that is answered, but too late, is told of', () => {
  const result = asked([
    [250, 501],
    [420, 930],
    [500, 500],
  ])
  expect(slowTexts([{ ip, result }], began)).toEqual([
    `2 requests to ${ip}, sent from 50 to 220 ms, took longer than 500 ms, the longest 930 ms`,
  ])
  expect(slowFigures([{ ip, result }], began)).toEqual({ 'late by 100 ms': 3, 'max slowest ms': 930 })
})

test('what was over before counts not', () => {
  const result = asked([[0, 190]], [[5, 150]])
  expect(slowFigures([{ ip, result }], began)).toEqual({ 'late by 100 ms': 0, 'max slowest ms': 0 })
  expect(disturbedGaps(result, began)).toEqual([])
  expect(slowTexts([{ ip, result: asked([[0, 600]]) }], began)).toHaveLength(1)
})

test('service was away while requests were held up, though none was lost', () => {
  expect(disturbedGaps(asked(heldUp(300, 1700)), began)).toEqual([
    { fromMs: 300, lengthMs: 1300, failed: 130 },
  ])
})

test('the lost and the late make one gap, in whatever order they are told', () => {
  const late: Times = [
    [430, 120],
    [300, 400],
  ]
  expect(disturbedGaps(asked(late, [[400, 900]]), began)).toEqual([{ fromMs: 300, lengthMs: 140, failed: 3 }])
})

test('twenty in time between two make two of it', () => {
  const late = (at: number): Times => [
    [300, 200],
    [at, 200],
  ]
  expect(disturbedGaps(asked(late(500)), began)).toEqual([{ fromMs: 300, lengthMs: 210, failed: 2 }])
  expect(disturbedGaps(asked(late(510)), began)).toEqual([
    { fromMs: 300, lengthMs: 10, failed: 1 },
    { fromMs: 510, lengthMs: 10, failed: 1 },
  ])
})
