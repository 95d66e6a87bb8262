import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RefusedIn } from '../engine/refusals.ts'
import { layouts } from '../xds/layout.ts'
import { resourceTypes } from '../xds/resource.ts'
import {
  acknowledgedCondition,
  refusalsTold,
  refusedCondition,
  withProgrammed,
} from './programmed-condition.ts'

const then = '2026-01-01T00:00:00Z'
const now = '2026-01-02T00:00:00Z'

const scope: RefusedIn = {
  layout: 'scoped',
  type: 'scopes',
  name: 'http/a.test',
  version: '0123456789abcdef',
  build: '1.40.0',
  message: 'no\nnever',
}

const condition = (refused: readonly RefusedIn[], generation = 3) => {
  const made = refusedCondition(undefined, 'a.test', refused, generation, then)
  if (made === undefined) throw new Error('no condition')
  return made
}

test('says Envoy’s words, and of each content which it is and which Envoy refused it', () => {
  expect(condition([scope])).toEqual({
    type: 'Programmed',
    status: 'False',
    reason: 'EnvoyRefused',
    message: 'host "a.test": scopes "http/a.test": no\nnever',
    lastTransitionTime: then,
    observedGeneration: 3,
    errors: [
      {
        type: 'RefusedContent',
        status: 'True',
        reason: 'EnvoyRefused',
        message: 'scopes http/a.test of content 0123456789abcdef (scoped), by Envoy 1.40.0: no\nnever',
      },
    ],
  })
  expect(refusedCondition(undefined, 'a.test', [], 3, then)).toBeUndefined()
})

test('keeps the time of the transition, and never says that it saw less than another has', () => {
  const current = { conditions: [condition([scope], 7)] }
  expect(refusedCondition(current, 'a.test', [scope], 6, now)).toMatchObject({
    lastTransitionTime: then,
    observedGeneration: 7,
  })
})

test('fits the schema, whatever Envoy says', () => {
  const long = condition(Array.from({ length: 100 }, () => ({ ...scope, message: 'y'.repeat(40_000) })))
  expect(long.message).toHaveLength(32_760)
  expect(long.errors).toHaveLength(32)
  expect(JSON.stringify(long.errors).length).toBeLessThan(100_000)
})

test('what was acknowledged of a generation stays said until there is no Envoy for a while', () => {
  const said = acknowledgedCondition(undefined, 'acknowledged', 3, then)
  expect(said).toMatchObject({ status: 'True', observedGeneration: 3, lastTransitionTime: then })
  const current = { conditions: [said] }
  for (const state of ['acknowledged', 'pending', 'absent'] as const)
    expect(acknowledgedCondition(current, state, 3, now)).toEqual(said)
  expect(acknowledgedCondition(current, 'none', 3, now)).toMatchObject({
    status: 'Unknown',
    reason: 'NoEnvoy',
    lastTransitionTime: now,
  })
  expect(acknowledgedCondition(current, 'acknowledged', 4, now)).toEqual({ ...said, observedGeneration: 4 })
  expect(acknowledgedCondition(current, 'pending', 4, now)).toMatchObject({
    status: 'Unknown',
    reason: 'Pending',
  })
})

const refused: fc.Arbitrary<RefusedIn> = fc.record({
  layout: fc.constantFrom(...layouts),
  type: fc.constantFrom(...resourceTypes),
  name: fc.constantFrom('http/*.a.test', 'web/shop/80/0123456789', 'web/shop/http', 'web/ca/ca.crt'),
  version: fc.constantFrom('0123456789abcdef', 'ffffffffffffffff'),
  build: fc.constantFrom('', '1.40.0'),
  message: fc.string({ unit: 'binary', maxLength: 2000 }),
})

test('what was said is read again', () => {
  fc.assert(
    fc.property(fc.array(refused, { minLength: 1, maxLength: 32 }), (all) => {
      const told = refusalsTold({ conditions: [condition(all)] })
      expect(told).toEqual(all.map((one) => ({ ...one, generation: 3 })))
    }),
  )
})

test('of what others wrote under the name nothing is read', () => {
  fc.assert(
    fc.property(fc.string(), (message) => {
      const [error] = condition([scope]).errors ?? []
      const errors = error === undefined ? [] : [{ ...error, message }]
      expect(refusalsTold({ conditions: [{ ...condition([scope]), errors }] })).toEqual([])
    }),
  )
  expect(refusalsTold(undefined)).toEqual([])
  expect(refusalsTold({ conditions: [{ ...condition([scope]), status: 'True' }] })).toEqual([])
})

test('stands behind `Valid` and before the conditions of others', () => {
  const of = (type: string) => ({ ...condition([scope]), type })
  const types = (conditions: readonly { readonly type: string }[]) => conditions.map(({ type }) => type)
  const mixed = [of('Theirs'), of('Programmed'), of('Valid')]
  expect(types(withProgrammed(mixed, of('Programmed')))).toEqual(['Valid', 'Programmed', 'Theirs'])
  expect(types(withProgrammed(mixed, undefined))).toEqual(['Valid', 'Theirs'])
})
