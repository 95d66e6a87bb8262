import { expect, test } from 'vitest'
import { readInternalRedirect } from './answers.ts'

test('codes of internal redirects that are listed twice count once: Envoy takes five at most', () => {
  const read = readInternalRedirect({ redirectResponseCodes: [301, 302, 303, 307, 308, 301] })
  expect(read?.statuses).toEqual([301, 302, 303, 307, 308])
})
