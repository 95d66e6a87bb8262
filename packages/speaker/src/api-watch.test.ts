import { expect, test, vi } from 'vitest'
import { watchApi } from './api-watch.ts'

test('an API server that is away for a while is told of, and that it is back; a short outage is not', async () => {
  let isOutage = false
  const told: boolean[] = []
  const end = watchApi({
    isOutage: () => isOutage,
    onChange: (away) => told.push(away),
    awayMs: 50,
    lookMs: 5,
  })
  try {
    isOutage = true
    await vi.waitFor(() => expect(told).toEqual([true]), 30_000)
    isOutage = false
    await vi.waitFor(() => expect(told).toEqual([true, false]), 30_000)
  } finally {
    end()
  }
})
