import { expect, test } from 'vitest'
import { judgeAnswers, judgeBurst, judgeLinks, judgeNoise, judgeTakeover } from './layer2-limits.ts'

const kernel = { p50: 70, p99: 300 }

test("answers are compared with the kernel's own of the same run", () => {
  expect(judgeAnswers('ARP', { ours: { p50: 350, p99: 10_300 }, kernel, lost: 0 })).toEqual([])
  expect(judgeAnswers('ARP', { ours: { p50: 351, p99: 10_301 }, kernel, lost: 2 })).toEqual([
    'ARP: the median is 351.0 µs, more than 350',
    'ARP: p99 is 10301.0 µs, more than 10300',
    'ARP: 2 requests were not answered',
  ])
  expect(judgeAnswers('ARP', { ours: { p50: Number.NaN, p99: 1 }, kernel, lost: 0 })).toHaveLength(1)
})

test('noise has to be there, and may cost a quarter of a core', () => {
  expect(judgeNoise({ perSecond: 18_000, wanted: 20_000, cpu: 25 })).toEqual([])
  expect(judgeNoise({ perSecond: 17_999, wanted: 20_000, cpu: 25.1 })).toHaveLength(2)
})

test('of a burst all are answered, in slices, and with little memory', () => {
  const burst = { requests: 10_000, answers: 10_000, longestTurn: 5, rssMiB: 100 }
  expect(judgeBurst('burst', burst)).toEqual([])
  expect(judgeBurst('burst', { ...burst, longestTurn: undefined })).toEqual([])
  expect(judgeBurst('burst', { ...burst, answers: 9999, longestTurn: 5.1, rssMiB: 100.1 })).toHaveLength(3)
})

test('of what is taken over all is announced, a thousand in a second and a half', () => {
  const over = { count: 1000, announced: 1000, lastMs: 1500, longestTurn: 5, rssMiB: 100 }
  expect(judgeTakeover('all', over)).toEqual([])
  expect(judgeTakeover('all', { ...over, lastMs: 1501 })).toHaveLength(1)
  expect(judgeTakeover('all', { ...over, announced: 999 })).toHaveLength(1)
  expect(judgeTakeover('all', { ...over, count: 5000, announced: 5000, lastMs: 1900 })).toEqual([])
  expect(judgeTakeover('all', { ...over, longestTurn: 6, rssMiB: 101 })).toHaveLength(2)
})

test('a link that returns is followed within 100 ms', () => {
  expect([judgeLinks('down, up', 100), judgeLinks('down, up', 100.1)].map(({ length }) => length)).toEqual([
    0, 1,
  ])
})
