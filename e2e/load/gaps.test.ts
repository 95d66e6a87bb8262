import { expect, it } from 'vitest'
import { gapsOf } from './gaps.ts'

/** `.` answered, `x` lost; one every 10 ms. */
const outcomes = (text: string) => text.split('').map((c, i) => ({ atMs: i * 10, ok: c === '.' }))

it('a gap goes from the first lost to the first of enough good ones in a row', () => {
  expect(gapsOf(outcomes('..x.xx...x....'), 4)).toEqual([{ fromMs: 20, lengthMs: 80, failed: 4 }])
})

it('two gaps are two when enough good ones lie between', () => {
  expect(gapsOf(outcomes('x..x..'), 2)).toEqual([
    { fromMs: 0, lengthMs: 10, failed: 1 },
    { fromMs: 30, lengthMs: 10, failed: 1 },
  ])
})

it('one without an end goes to the last request', () => {
  expect(gapsOf(outcomes('.xx.'), 2)).toEqual([{ fromMs: 10, lengthMs: 20, failed: 2 }])
})

it('all good is no gap', () => {
  expect(gapsOf(outcomes('....'), 2)).toEqual([])
})
