import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { layouts } from '../xds/layout.ts'
import { resourceTypes } from '../xds/resource.ts'
import { type RefusedOfIngress, refusedOf, tellIngresses } from './refusal-events.ts'

const refused: fc.Arbitrary<RefusedOfIngress> = fc.record({
  layout: fc.constantFrom(...layouts),
  type: fc.constantFrom(...resourceTypes),
  name: fc.constantFrom('http/*.a.test', 'web/shop/80/0123456789', 'web/ca/ca.crt'),
  version: fc.constantFrom('0123456789abcdef', 'ffffffffffffffff'),
  build: fc.constantFrom('', '1.40.0'),
  message: fc.string({ unit: 'binary', maxLength: 2000 }),
  ingress: fc.constantFrom('web/a', 'shop/b'),
  uid: fc.constantFrom('u1', 'u2'),
})

/** As the API server keeps them. */
function eventsOf(told: readonly RefusedOfIngress[]) {
  const events: { metadata: { name: string }; involvedObject: unknown; message: string }[] = []
  tellIngresses(
    {
      record: (involvedObject, { message }) =>
        events.push({ metadata: { name: 'e' }, involvedObject, message: message.slice(0, 1024) }),
    },
    told,
  )
  return events
}

test('what was told is read again, but for the end of long words', () => {
  fc.assert(
    fc.property(fc.array(refused, { maxLength: 3 }), (told) => {
      const read = eventsOf(told).map(refusedOf)
      expect(read).toEqual(told.map((one) => ({ ...one, message: expect.any(String) })))
      for (const [index, one] of told.entries())
        expect(one.message.startsWith(read[index]?.message ?? 'x')).toBe(true)
    }),
  )
})

test('of what others wrote nothing is read', () => {
  const [event] = eventsOf(fc.sample(refused, 1))
  if (event === undefined) throw new Error('no event')
  fc.assert(fc.property(fc.string(), (message) => refusedOf({ ...event, message }) === undefined))
  expect(refusedOf({ metadata: { name: 'e' } })).toBeUndefined()
  expect(refusedOf({ ...event, involvedObject: undefined })).toBeUndefined()
})
