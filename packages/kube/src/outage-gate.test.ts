import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { OutageGate } from './outage-gate.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Ten clients that try whenever they may; every try fails while the server is away. */
function stage(random: () => number) {
  const gate = new OutageGate(() => Date.now(), random)
  const tries: number[] = []
  const stop = new AbortController()
  let away = true
  const client = async () => {
    while (!stop.signal.aborted) {
      await gate.pass(stop.signal)
      if (stop.signal.aborted) return
      tries.push(Date.now())
      if (!away) return gate.open()
      gate.shut()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  return { gate, tries, stop, client, comeBack: () => void (away = false) }
}

it('lets one of many try at a time: 0.2 to 1 s apart in the first minute, up to 10 s later', async () => {
  const { gate, tries, stop, client } = stage(Math.random)
  gate.shut()
  const from = Date.now()
  const clients = Array.from({ length: 10 }, client)
  await vi.advanceTimersByTimeAsync(300_000)
  stop.abort()
  await Promise.all(clients)
  const gaps = tries.map((at, index) => [at - from, at - (tries[index - 1] ?? from)] as const)
  for (const [at, gap] of gaps) {
    expect(gap).toBeGreaterThanOrEqual(149)
    expect(gap).toBeLessThanOrEqual(at < 60_000 ? 1001 : 10_001)
  }
  expect(gaps.filter(([at]) => at >= 70_000).every(([, gap]) => gap >= 6000)).toBe(true)
  expect(tries.length).toBeGreaterThan(80)
})

it('lets everybody in with the first good answer, whoever got it', async () => {
  const { gate, tries, client, comeBack } = stage(() => 0.5)
  gate.shut()
  const clients = Array.from({ length: 10 }, client)
  await vi.advanceTimersByTimeAsync(5010)
  comeBack()
  tries.length = 0
  gate.open()
  await Promise.all(clients)
  expect(tries).toEqual(Array.from({ length: 10 }, () => Date.now()))
  expect([gate.isOpen(), gate.isOutage()]).toEqual([true, false])
})

it('says that a try makes sense again when it is due, although nobody waits', async () => {
  const gate = new OutageGate(
    () => Date.now(),
    () => 0.5,
  )
  gate.shut()
  expect(gate.isOpen()).toBe(false)
  await vi.advanceTimersByTimeAsync(200)
  expect([gate.isOpen(), gate.isOutage()]).toEqual([true, true])
})

it('holds nobody when it is open or the wait is given up', async () => {
  const gate = new OutageGate(
    () => Date.now(),
    () => 0.5,
  )
  const stop = new AbortController()
  await gate.pass(stop.signal)
  gate.shut()
  const passed = gate.pass(stop.signal)
  stop.abort()
  await passed
  expect(vi.getTimerCount()).toBe(0)
})
