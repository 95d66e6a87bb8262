import { expect, test } from 'vitest'
import type { Claim, Conflict } from '../../segment/claims.ts'
import { shareOfConflicts, shareOfGaps, takenAt } from './foreign-share.ts'

const ip = '192.0.2.1'
/** Of `a` the speaker is Landfall's from 1000 on, of `b` from 2000 on. */
const since = new Map([
  ['a', 1000],
  ['b', 2000],
])
const conflict = (before: string, after: string, at: number, apartMs = 10): Conflict => ({
  ip,
  macs: [before, after],
  at,
  apartMs,
})

test('a conflict is ours where either of the two is', () => {
  const theirs = [conflict('a', 'b', 900), conflict('b', 'a', 950)]
  const ours = [conflict('b', 'a', 1000), conflict('a', 'b', 1500), conflict('c', 'b', 1500)]
  expect(shareOfConflicts([...theirs, ...ours], since)).toEqual({ ours, theirs })
})

test('a gap is ours unless it was over before one of ours answered', () => {
  const away = {
    ip,
    gaps: [
      { fromMs: 0, lengthMs: 300, failed: 30 },
      { fromMs: 800, lengthMs: 250, failed: 25 },
      { fromMs: 2000, lengthMs: 70, failed: 7 },
    ],
    startedAt: 500,
  }
  const claims: Claim[] = [
    { ip, mac: 'a', at: 800, kind: 'answer' },
    { ip, mac: 'b', at: 1200, kind: 'answer' },
    { ip: '192.0.2.2', mac: 'a', at: 1300, kind: 'answer' },
    { ip, mac: 'a', at: 1500, kind: 'announcement' },
  ]
  expect(shareOfGaps(away, claims, since)).toEqual({ oursMs: 320, theirsMs: 300 })
  expect(shareOfGaps(away, claims.slice(0, 2), since)).toEqual({ oursMs: 0, theirsMs: 620 })
  expect([ip, '192.0.2.3'].map((one) => takenAt(one, claims, since))).toEqual([
    1500,
    Number.POSITIVE_INFINITY,
  ])
})
