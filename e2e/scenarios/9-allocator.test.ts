/** The allocator under blows, on API servers of its own beside the lab: counts, not times. The drill has the times. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { discardBundles } from '../allocator/site.ts'
import { bulkUnder, outages, swap } from '../allocator/trials.ts'

const count = 200

describe('the allocator', { timeout: 180_000 }, () => {
  let killed: Promise<unknown>

  // Most of its time the lease of the killed one runs out: the other trials go on beside it.
  beforeAll(() => {
    killed = bulkUnder('leader killed', count).catch((error: unknown) => error)
  })

  afterAll(async () => {
    await killed
    discardBundles()
  }, 180_000)

  it('assigns nothing twice and leaves nobody out: API server restarted', async () => {
    expect(await bulkUnder('API server restarted', count)).toMatchObject({ addressed: count, shared: [] })
  })

  it('serves a new Service after each outage of the API server', async () => {
    expect(await outages(2, 1000)).toHaveLength(2)
  })

  it('writes each Service once when it comes in place of the controller of MetalLB, and not again', async () => {
    const { first, second } = await swap(count)
    expect(first).toBeGreaterThanOrEqual(1)
    // An address waits for no report: of those written before the reports are read the other condition comes later.
    expect(first).toBeLessThanOrEqual(1.05)
    expect(second).toBe(0)
  })

  it('assigns nothing twice and leaves nobody out: leader killed', async () => {
    expect(await killed).toMatchObject({ addressed: count, shared: [] })
  })
})
