import { expect, test } from 'vitest'
import { GratuitousSchedule } from './gratuitous.ts'

/** When each address is announced, asked every 100 ms. */
function run(schedule: GratuitousSchedule, from: number, to: number, limit = 100): [number, string][] {
  const sent: [number, string][] = []
  for (let now = from; now < to; now += 100)
    for (const address of schedule.take(now, limit)) sent.push([now, address])
  return sent
}

test('five bursts within five seconds, then a refresh a minute', () => {
  const schedule = new GratuitousSchedule(60_000)
  schedule.acquire('a', 0)
  expect(run(schedule, 0, 130_000).map(([at]) => at)).toEqual([0, 1100, 2200, 3300, 4400, 64_400, 124_400])
})

test('without a refresh it ends after the bursts', () => {
  const schedule = new GratuitousSchedule(0)
  schedule.acquire('a', 0)
  expect(run(schedule, 0, 300_000)).toHaveLength(5)
  expect(schedule.next()).toBeUndefined()
})

test('a released address is silent, one acquired again starts anew', () => {
  const schedule = new GratuitousSchedule(60_000)
  schedule.acquire('a', 0)
  run(schedule, 0, 2000)
  schedule.release('a')
  expect(run(schedule, 2000, 90_000)).toEqual([])
  schedule.acquire('a', 90_000)
  expect(run(schedule, 90_000, 95_000)).toHaveLength(5)
})

test('no more than the limit at a time, bursts before refreshes, none forgotten', () => {
  const schedule = new GratuitousSchedule(10_000)
  for (const address of ['a', 'b', 'c']) schedule.acquire(address, 0)
  run(schedule, 0, 6000)
  schedule.acquire('new', 14_400)
  expect(schedule.take(14_400, 2)).toEqual(['new', 'a'])
  expect(schedule.take(14_400, 2)).toEqual(['b', 'c'])
  expect(schedule.take(14_400, 2)).toEqual([])
  expect(schedule.next()).toBe(15_500)
})
