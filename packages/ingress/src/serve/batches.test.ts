import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Batches } from './batches.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('holds back until released, then hands over as one batch', () => {
  const batches: (readonly number[])[] = []
  const queue = new Batches<number>((items) => batches.push(items))
  queue.add([1])
  queue.add([2, 3])
  expect(batches).toEqual([])
  queue.release()
  expect(batches).toEqual([[1, 2, 3]])
})

test('rule 50: the first change goes at once, those of the next 20 ms together', () => {
  const batches: (readonly number[])[] = []
  const queue = new Batches<number>((items) => batches.push(items))
  queue.release()
  vi.advanceTimersByTime(20)
  queue.add([1])
  expect(batches).toEqual([[], [1]])
  queue.add([2])
  queue.add([3])
  vi.advanceTimersByTime(19)
  expect(batches).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(batches).toEqual([[], [1], [2, 3]])
  vi.advanceTimersByTime(20)
  queue.add([4])
  expect(batches.at(-1)).toEqual([4])
})

test('nothing is handed over after a stop', () => {
  const batches: (readonly number[])[] = []
  const queue = new Batches<number>((items) => batches.push(items))
  queue.release()
  queue.add([1])
  queue.stop()
  queue.add([2])
  vi.advanceTimersByTime(100)
  expect(batches).toEqual([[]])
})
