import { expect, test } from 'vitest'
import type { LoadResult } from '../../load/load.ts'
import type { Claim } from '../../segment/claims.ts'
import { lostOf, lostTexts, openTexts } from './lost.ts'

const ip = '192.0.2.1'
const claims: readonly Claim[] = [
  { ip, mac: 'a', at: 900, kind: 'answer' },
  { ip, mac: 'b', at: 1500, kind: 'announcement' },
]

function lost(atMs: number, tookMs: number, why: string, wasConnected = why === 'ECONNRESET') {
  const result: LoadResult = {
    sent: 1,
    answered: 0,
    lost: [{ atMs, tookMs, why, ...(wasConnected && { wasConnected }) }],
    late: [],
    gaps: [],
    startedAt: 1000,
    medianMs: 0,
    longestMs: 0,
    tickerLateMs: 0,
  }
  return lostOf([{ ip, result }], claims, 1200)
}

test('a connection that was open when the address moved, and was reset, is not lost by whoever announces', () => {
  expect(lost(450, 60, 'ECONNRESET')).toMatchObject({ lost: [], open: [{ ip, at: 1450, movedAt: 1500 }] })
})

test('nor is one that was no longer answered', () => {
  expect(lost(490, 900, 'no answer in 900 ms', true)).toMatchObject({ lost: [], open: [{ ip, at: 1490 }] })
})

test('nor is one whose client was busy and followed late', () => {
  expect(lost(529, 39, 'ECONNRESET')).toMatchObject({ lost: [], open: [{ ip, at: 1529, movedAt: 1500 }] })
})

test.each([
  ['before the move', 450, 30, 'ECONNRESET'],
  ['after it', 620, 30, 'ECONNRESET'],
  ['by nobody', 450, 900, 'no answer in 900 ms'],
])('%s it is lost', (_, atMs, tookMs, why) => {
  expect(lost(atMs, tookMs, why)).toMatchObject({ lost: [{ why }], open: [] })
})

test('what was over before counts not', () => {
  expect(lost(100, 90, 'ECONNRESET')).toEqual({ lost: [], open: [] })
  expect(lost(100, 110, 'ECONNRESET').lost).toHaveLength(1)
})

test('each is told with its times', () => {
  expect(lostTexts(lost(450, 900, 'no answer'), 1200)).toEqual([
    `a request to ${ip} from 250 to 1150 ms was lost (no answer); the address moved last at 300 ms`,
  ])
})

test('of one load two may have been open at a move, not more', () => {
  const open = (...ats: readonly number[]) => ats.flatMap((at) => lost(at, 60, 'ECONNRESET').open)
  const other = open(460).map((one) => ({ ...one, ip: '192.0.2.2' }))
  const next = open(470).map((one) => ({ ...one, movedAt: 1700 }))
  expect(openTexts([...open(450, 460), ...other, ...next], 1200)).toEqual([])
  expect(openTexts([...open(450, 460, 470), ...other, ...next], 1200)).toEqual([
    `3 connections to ${ip} were lost that were open when it moved at 300 ms`,
  ])
})
