import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { OutageGate } from './outage-gate.ts'
import { WorkQueue } from './work-queue.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Work that the test ends by hand. */
function stage(concurrency?: number | (() => number), gate?: OutageGate) {
  const began: string[] = []
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>()
  const lines: Record<string, unknown>[] = []
  const queue = new WorkQueue({
    logger: createLogger({ write: (line) => void lines.push(JSON.parse(line)) }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(gate === undefined ? {} : { gate }),
    work: (key) => {
      began.push(key)
      return new Promise((resolve, reject) => ends.set(key, { resolve, reject }))
    },
  })
  const settle = () => vi.advanceTimersByTimeAsync(0)
  const end = async (key: string, error?: Error) => {
    if (error) ends.get(key)?.reject(error)
    else ends.get(key)?.resolve()
    await settle()
  }
  return { queue, began, lines, end }
}

it('works on a key once however often it was added, and again when it was added meanwhile', async () => {
  const { queue, began, end } = stage()
  for (const key of ['a', 'b', 'b', 'b']) queue.add(key)
  expect(began).toEqual(['a'])
  for (const key of ['a', 'a']) queue.add(key)
  await end('a')
  expect(began).toEqual(['a', 'b'])
  await end('b')
  expect(began).toEqual(['a', 'b', 'a'])
  await end('a')
  expect(began).toHaveLength(3)
})

it('never works on one key twice at a time, and on as many keys as it may', async () => {
  const { queue, began, end } = stage(2)
  for (const key of ['a', 'b', 'c']) queue.add(key)
  queue.add('a')
  expect(began).toEqual(['a', 'b'])
  await end('b')
  expect(began).toEqual(['a', 'b', 'c'])
  await end('c')
  expect(began).toEqual(['a', 'b', 'c'])
  await end('a')
  expect(began).toEqual(['a', 'b', 'c', 'a'])
})

it('tries a failed key again after waits that double, and forgets that after a success', async () => {
  const { queue, began, lines, end } = stage()
  queue.add('a')
  const waits: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    await end('a', new Error('no'))
    const from = Date.now()
    while (began.length === turn + 1) await vi.advanceTimersByTimeAsync(5)
    waits.push(Date.now() - from)
  }
  for (const [turn, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(100 * 2 ** turn * 0.75)
    expect(wait).toBeLessThanOrEqual(100 * 2 ** turn * 1.25 + 5)
  }
  expect(lines[0]).toMatchObject({ event: 'workFailed', key: 'a', failures: 1, error: 'no' })
  await end('a')
  queue.add('a')
  await end('a', new Error('again'))
  expect(lines.at(-1)).toMatchObject({ failures: 1 })
})

it('keeps the sooner of two due times, and add comes before both', async () => {
  const { queue, began } = stage()
  queue.addAfter('a', 100)
  queue.addAfter('a', 5000)
  await vi.advanceTimersByTimeAsync(100)
  expect(began).toEqual(['a'])
  queue.addAfter('b', 5000)
  queue.addAfter('b', 50)
  await vi.advanceTimersByTimeAsync(49)
  expect(began).toEqual(['a'])
})

it('ends when what is under way has ended, and takes nothing any more', async () => {
  const { queue, began, end } = stage()
  queue.add('a')
  queue.add('b')
  queue.addAfter('c', 10)
  let stopped = false
  void queue.stop().then(() => {
    stopped = true
  })
  await vi.advanceTimersByTimeAsync(20)
  expect(stopped).toBe(false)
  queue.add('d')
  await end('a')
  expect([stopped, began]).toEqual([true, ['a']])
})

it('lets keys wait during an outage without a failure, one try at a time, and runs all at the first answer', async () => {
  const gate = new OutageGate()
  const { queue, began, lines, end } = stage(2, gate)
  queue.add('a')
  gate.shut()
  await end('a', new Error('connect ECONNREFUSED'))
  for (const key of ['b', 'c']) queue.add(key)
  expect(began).toEqual(['a'])
  await vi.advanceTimersByTimeAsync(300)
  expect(began).toEqual(['a', 'a'])
  await end('a', new Error('connect ECONNREFUSED'))
  await vi.advanceTimersByTimeAsync(50)
  expect([began.length, lines]).toEqual([2, []])
  gate.open()
  await vi.advanceTimersByTimeAsync(0)
  expect(began.slice(2).toSorted()).toEqual(['b', 'c'])
  await end('b')
  expect(began.slice(4)).toEqual(['a'])
  await end('a', new Error('conflict'))
  expect(lines).toMatchObject([{ event: 'workFailed', key: 'a', failures: 1 }])
})

it('ends during an outage', async () => {
  const gate = new OutageGate()
  gate.shut()
  const { queue, began } = stage(1, gate)
  queue.add('a')
  await queue.stop()
  gate.open()
  await vi.advanceTimersByTimeAsync(1000)
  expect([began, vi.getTimerCount()]).toEqual([[], 0])
})

it('works on as many at once as it may at the moment', async () => {
  let most = 1
  const { queue, began, end } = stage(() => most)
  for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key)
  expect(began).toEqual(['a'])
  most = 3
  await end('a')
  expect(began).toEqual(['a', 'b', 'c', 'd'])
  most = 1
  await end('b')
  expect(began).toEqual(['a', 'b', 'c', 'd'])
})

it('gives the event loop its turn, however short each work is', async () => {
  vi.useRealTimers()
  let done = 0
  const queue = new WorkQueue({
    logger: createLogger({ level: 'none' }),
    work: async () => {
      const end = performance.now() + 2
      while (performance.now() < end);
      done++
    },
  })
  for (let key = 0; key < 50; key++) queue.add(String(key))
  const atFirstTurn = await new Promise<number>((resolve) => setImmediate(() => resolve(done)))
  expect(atFirstTurn).toBeLessThan(25)
  await vi.waitFor(() => expect(done).toBe(50), { timeout: 30_000 })
})
