import { expect, test } from 'vitest'
import { Announcements } from './responder-announcements.ts'

test('repeats of many addresses are sent in slices, with the loop free between them', async () => {
  const addresses = Array.from({ length: 300 }, (_, i) => `a${i}`)
  const counts = new Map<string, number>()
  let [inTurn, most] = [0, 0]
  const announcements = new Announcements(0, (address) => {
    counts.set(address, (counts.get(address) ?? 0) + 1)
    most = Math.max(most, ++inTurn)
    for (const from = performance.now(); performance.now() < from + 0.3; );
    return true
  })
  announcements.acquire(addresses)
  const deadline = performance.now() + 30_000
  while (addresses.some((address) => (counts.get(address) ?? 0) < 3) && performance.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve))
    inTurn = 0
  }
  announcements.close()
  expect(addresses.filter((address) => (counts.get(address) ?? 0) < 3)).toEqual([])
  expect(most).toBeLessThan(10)
})
