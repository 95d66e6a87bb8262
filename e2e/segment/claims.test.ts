import { describe, expect, it } from 'vitest'
import { type Claim, conflicts, firstBy, holders, longestPause, relapses } from './claims.ts'

const ip = '192.0.2.1'
const claims = (...all: readonly (readonly [number, string, string?])[]): readonly Claim[] =>
  all.map(([at, mac, of = ip]) => ({ at, mac, ip: of, kind: 'answer' }))

describe('conflicts', () => {
  it('are two owners within the time', () => {
    expect(conflicts(claims([0, 'a'], [40, 'b'], [45, 'b'], [80, 'a']), 50)).toEqual([
      { ip, macs: ['a', 'b'], at: 40, apartMs: 40 },
      { ip, macs: ['b', 'a'], at: 80, apartMs: 35 },
    ])
  })

  it('are none with time between, of one owner, or of two addresses', () => {
    expect(conflicts(claims([0, 'a'], [50, 'b'], [51, 'b'], [52, 'a', '192.0.2.2']), 50)).toEqual([])
  })

  it('are found whatever the order in which they were read', () => {
    expect(conflicts(claims([40, 'b'], [0, 'a']), 50)).toHaveLength(1)
  })
})

describe('relapses', () => {
  it('are claims of one who had lost the address', () => {
    expect(relapses(claims([0, 'a'], [10, 'b'], [20, 'a']), 100)).toEqual([
      { ip, macs: ['b', 'a'], at: 20, apartMs: 10 },
    ])
  })

  it('are none in a hand-over, nor when it comes back later', () => {
    expect(relapses(claims([0, 'a'], [10, 'b'], [20, 'b'], [500, 'a']), 100)).toEqual([])
  })
})

it('the holder is who claimed last', () => {
  expect(holders(claims([0, 'a'], [10, 'b'], [5, 'c', '192.0.2.2']))).toEqual(
    new Map([
      [ip, 'b'],
      ['192.0.2.2', 'c'],
    ]),
  )
})

it('the first claim by another is found', () => {
  const all = claims([0, 'a'], [10, 'b'], [15, 'a'], [20, 'b'])
  expect(firstBy(all, { ip, since: 5, notMac: 'a' })?.at).toBe(10)
  expect(firstBy(all, { ip, since: 21, notMac: 'a' })).toBeUndefined()
})

describe('the longest pause', () => {
  const all = claims([40, 'a'], [0, 'a'], [100, 'b'], [110, 'b'], [70, 'a', '192.0.2.2'])

  it('lies between two answers, whoever gave them', () => {
    expect(longestPause(all, { ip, from: -10, to: 120 })).toBe(60)
  })

  it('or before the first, or after the last', () => {
    expect(longestPause(all, { ip, from: -80, to: 120 })).toBe(80)
    expect(longestPause(all, { ip, from: -10, to: 300 })).toBe(190)
    expect(longestPause(all, { ip: '192.0.2.3', from: 0, to: 300 })).toBe(300)
  })

  it('is not shortened by what was said unasked, before, or afterwards', () => {
    const unasked: Claim = { ip, mac: 'a', at: 70, kind: 'announcement' }
    expect(longestPause([...all, unasked], { ip, from: 10, to: 105 })).toBe(60)
  })
})
