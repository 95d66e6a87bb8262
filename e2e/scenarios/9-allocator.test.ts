/** The allocator under blows, on API servers of its own beside the lab: counts, not times. The drill has the times. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bulkUnder, outages, swap } from '../allocator/trials.ts'
import { discardBundles } from '../nodeless/bundles.ts'

const count = 200

describe('the allocator', { timeout: 180_000 }, () => {
  let killed: Promise<unknown>
  let frozen: Promise<unknown>

  // Most of their time the lease of the one that fell runs out: the other trials go on beside them.
  beforeAll(() => {
    killed = bulkUnder('leader killed', count).catch((error: unknown) => error)
    frozen = bulkUnder('leader frozen', count).catch((error: unknown) => error)
  })

  afterAll(async () => {
    await Promise.all([killed, frozen])
    discardBundles()
  }, 180_000)

  it('assigns nothing twice and leaves nobody out: API server restarted', async () => {
    expect(await bulkUnder('API server restarted', count)).toMatchObject({ addressed: count, shared: [] })
  })

  it('serves a new Service after each outage of the API server', async () => {
    expect((await outages(2, 1000)).latencies).toHaveLength(2)
  })

  it('writes each Service once when it comes in place of the controller of MetalLB, and not again', async () => {
    const { first, second } = await swap(count)
    expect({ first, second }).toEqual({ first: 1, second: 0 })
  })

  it('assigns nothing twice and leaves nobody out: leader killed', async () => {
    expect(await killed).toMatchObject({ addressed: count, shared: [] })
  })

  it('assigns nothing twice and leaves nobody out: leader frozen, and thawed when another leads', async () => {
    expect(await frozen).toMatchObject({ addressed: count, shared: [] })
  })
})
