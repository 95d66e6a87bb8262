import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { GratuitousSchedule } from './gratuitous.ts'

/** After so many ms. */
const bursts = [0, 100, 300, 1100, 2200, 3300, 4400]
const gapsMs = bursts.slice(1).map((at, i) => at - (bursts[i] ?? 0))

/** When each address is announced, asked every 100 ms. */
function run(schedule: GratuitousSchedule, from: number, to: number, limit = 100): [number, string][] {
  const sent: [number, string][] = []
  for (let now = from; now < to; now += 100)
    for (const address of schedule.take(now, limit)) sent.push([now, address])
  return sent
}

test('repeated soon and for five seconds, then a refresh a minute', () => {
  const schedule = new GratuitousSchedule(60_000)
  schedule.acquire('a', 0)
  expect(run(schedule, 0, 130_000).map(([at]) => at)).toEqual([...bursts, 64_400, 124_400])
})

test('of many every one is repeated soon, never more than the limit at a time', () => {
  const schedule = new GratuitousSchedule(60_000)
  const count = 5000
  const [perSlice, sliceMs] = [64, 5]
  for (let i = 0; i < count; i++) schedule.acquire(`a${i}`, 0)
  const times = new Map<string, number[]>()
  for (let now = 0; now < 8000; now += sliceMs)
    for (const address of schedule.take(now, perSlice))
      times.set(address, [...(times.get(address) ?? []), now])
  const roundMs = Math.ceil(count / perSlice) * sliceMs
  expect(times.size).toBe(count)
  for (const [first = 0, ...later] of times.values()) {
    expect(first).toBeLessThan(roundMs)
    expect(later).toHaveLength(bursts.length - 1)
    expect(later[1]).toBeLessThan(3 * roundMs)
  }
})

test('without a refresh it ends after the bursts', () => {
  const schedule = new GratuitousSchedule(0)
  schedule.acquire('a', 0)
  expect(run(schedule, 0, 300_000)).toHaveLength(bursts.length)
  expect(schedule.next()).toBeUndefined()
})

test('a released address is silent, one acquired again starts anew', () => {
  const schedule = new GratuitousSchedule(60_000)
  schedule.acquire('a', 0)
  run(schedule, 0, 2000)
  schedule.release('a')
  expect(run(schedule, 2000, 90_000)).toEqual([])
  schedule.acquire('a', 90_000)
  expect(run(schedule, 90_000, 95_000)).toHaveLength(bursts.length)
})

test('no more than the limit at a time, bursts before refreshes, none forgotten', () => {
  const schedule = new GratuitousSchedule(10_000)
  for (const address of ['a', 'b', 'c']) schedule.acquire(address, 0)
  run(schedule, 0, 6000)
  schedule.acquire('new', 14_400)
  expect(schedule.take(14_400, 2)).toEqual(['new', 'a'])
  expect(schedule.take(14_400, 2)).toEqual(['b', 'c'])
  expect(schedule.take(14_400, 2)).toEqual([])
  expect(schedule.next()).toBe(14_500)
})

test('refreshes of many are spread', () => {
  const schedule = new GratuitousSchedule(60_000)
  for (let i = 0; i < 2000; i++) schedule.acquire(`a${i}`, 0)
  run(schedule, 0, 10_000, 2000)
  const refreshed: number[] = []
  for (let now = 60_000; now < 80_000; now += 5) refreshed.push(...schedule.take(now, 64).map(() => now))
  expect(refreshed).toHaveLength(2000)
  for (const [i, at] of refreshed.entries())
    expect(at - (refreshed[i - 100] ?? 0)).toBeGreaterThanOrEqual(180)
})

type Step =
  | { readonly kind: 'acquire' | 'release'; readonly address: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'take'; readonly limit: number }

const address = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('acquire' as const, 'release' as const), address }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) }),
    fc.record({ kind: fc.constant('take' as const), limit: fc.integer({ min: 1, max: 4 }) }),
  ),
  { maxLength: 60 },
)

test('whatever happens, what is owned is announced on time, and nothing else', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const schedule = new GratuitousSchedule(20_000)
      /** When each owned address was announced since it was acquired. */
      const owned = new Map<string, number[]>()
      let now = 0
      for (const step of all) {
        if (step.kind === 'wait') now += step.ms
        else if (step.kind === 'take') {
          for (const taken of schedule.take(now, step.limit)) owned.get(taken)?.push(now)
        } else if (step.kind === 'acquire') {
          schedule.acquire(step.address, now)
          owned.set(step.address, [])
        } else {
          schedule.release(step.address)
          owned.delete(step.address)
        }
      }
      const silent = [...owned].filter(([, times]) => times.length === 0)
      expect(schedule.first).toBe(silent.length)
      const until = now + 120_000
      for (let next = schedule.next(); next !== undefined && next <= until; next = schedule.next()) {
        now = Math.max(now, next)
        const taken = schedule.take(now, 4)
        expect(taken.length).toBeGreaterThan(0)
        for (const one of taken) {
          expect(owned.has(one)).toBe(true)
          owned.get(one)?.push(now)
        }
      }
      for (const times of owned.values()) {
        const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
        expect(gaps.length).toBeGreaterThanOrEqual(10)
        for (const [i, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(gapsMs[i] ?? 20_000)
      }
    }),
  )
})

test('a first announcement that did not go out is tried again shortly, a few times, and repeated as ever', () => {
  const schedule = new GratuitousSchedule(0)
  schedule.acquire('a', 0)
  const tried: number[] = []
  for (let now = 0; now < 8000; now += 10)
    for (const address of schedule.take(now, 9)) {
      tried.push(now)
      if (now < 100) schedule.refused(address, now)
    }
  expect(tried).toEqual([0, 20, 40, 60, 80, ...bursts.map((at) => 100 + at)])
  schedule.acquire('b', 10_000)
  let count = 0
  for (let now = 10_000; now < 10_300; now += 10)
    for (const address of schedule.take(now, 9)) {
      count++
      schedule.refused(address, now)
    }
  expect(count).toBe(11)
})
