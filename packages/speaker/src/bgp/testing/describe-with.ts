/** Tests against a real router: skipped with the reason where it is missing, failed where nothing may be skipped. */
import { describe } from 'vitest'
import { missingFor } from './peer-lab.ts'

/** @param what a sentence's beginning; the router's name follows */
export function describeWith(
  what: string,
  router: Parameters<typeof missingFor>[0],
  tests: () => void,
): void {
  const why = missingFor(router)
  const skipped = why !== undefined && process.env['LANDFALL_NO_SKIP'] !== '1'
  const note = why === undefined ? '' : ` (skipped: ${why})`
  describe.skipIf(skipped)(`${what} ${router}${note}`, { timeout: 60_000 }, () => {
    tests()
  })
}
