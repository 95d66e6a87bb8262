/** The allocator under blows, on API servers of its own beside the lab: counts, not times. The drill has the times. */
import { afterAll, describe, expect, it } from 'vitest'
import { discardBundles } from '../allocator/site.ts'
import { bulkUnder, outages, swap } from '../allocator/trials.ts'

const count = 200

afterAll(discardBundles)

// Side by side: most of the time a lease runs out, or a server starts.
describe.concurrent('the allocator', { timeout: 180_000 }, () => {
  it.each(['leader killed', 'API server restarted'] as const)(
    'assigns nothing twice and leaves nobody out: %s',
    async (blow) => {
      const { addressed, shared } = await bulkUnder(blow, count)
      expect({ addressed, shared }).toEqual({ addressed: count, shared: [] })
    },
  )

  it('serves a new Service after each outage of the API server', async () => {
    expect(await outages(2, 1000)).toHaveLength(2)
  })

  it('writes each Service once when it comes in place of the controller of MetalLB, and not again', async () => {
    expect(await swap(count)).toEqual({ first: 1, second: 0 })
  })
})
