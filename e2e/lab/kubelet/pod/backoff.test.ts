import { expect, test } from 'vitest'
import { KUBELET_BACKOFF, nextWait } from './backoff.ts'

test('0, 10, 20, … up to 300 s', () => {
  const seen: number[] = []
  let waits = 0
  for (let i = 0; i < 8; i++) {
    const next = nextWait(KUBELET_BACKOFF, waits, 100)
    seen.push(next.waitMs / 1000)
    waits = next.waits
  }
  expect(seen).toEqual([0, 10, 20, 40, 80, 160, 300, 300])
})

test('a run of ten minutes starts over', () => {
  expect(nextWait(KUBELET_BACKOFF, 7, 600_000)).toEqual({ waitMs: 0, waits: 1 })
})
