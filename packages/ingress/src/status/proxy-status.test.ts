import { expect, test } from 'vitest'
import { error, warning } from '../dag/problem.ts'
import { proxyStatus } from './proxy-status.ts'

const then = '2026-01-01T00:00:00Z'
const now = '2026-01-02T00:00:00Z'
const good = { reached: true, problems: [] }
const bad = {
  reached: true,
  problems: [
    error('RouteError', 'PathMatchConditionsNotValid', 'x'.repeat(40_000)),
    warning('SpecError', 'IgnoredField', 'y'),
  ],
}

test('a valid proxy says so, with the generation that was judged', () => {
  const status = proxyStatus(undefined, good, 7, [{ ip: '192.0.2.1' }], now)
  expect(status).toEqual({
    currentStatus: 'valid',
    description: 'Valid HTTPProxy',
    loadBalancer: { ingress: [{ ip: '192.0.2.1' }] },
    conditions: [
      {
        type: 'Valid',
        status: 'True',
        reason: 'Valid',
        message: 'Valid HTTPProxy',
        lastTransitionTime: now,
        observedGeneration: 7,
      },
    ],
  })
})

test('errors and warnings are listed apart, and fit the schema', () => {
  const condition = proxyStatus(undefined, bad, 1, [], now).conditions?.[0]
  expect(condition).toMatchObject({ status: 'False', reason: 'ErrorPresent' })
  expect(condition?.errors).toHaveLength(1)
  expect(condition?.errors?.[0]).toMatchObject({
    type: 'RouteError',
    reason: 'PathMatchConditionsNotValid',
    status: 'True',
  })
  expect(condition?.errors?.[0]?.message.length).toBe(32_760)
  expect(condition?.warnings).toMatchObject([{ type: 'SpecError', reason: 'IgnoredField' }])
})

test.each([
  ['as many as are listed', 100, 10, 100, undefined],
  ['more', 5000, 300, 101, '4900 more are not listed'],
  ['long ones', 20, 40_000, 7, '14 more are not listed'],
])('of problems %s are told', (_, count, length, entries, last) => {
  const problems = Array.from({ length: count }, () =>
    warning('SpecError', 'IgnoredField', 'z'.repeat(length)),
  )
  const condition = proxyStatus(undefined, { reached: true, problems }, 1, [], now).conditions?.[0]
  expect(condition?.warnings).toHaveLength(entries)
  expect(condition?.warnings?.at(-1)?.message).toBe(last ?? 'z'.repeat(length))
})

test('a warning alone leaves it valid', () => {
  const status = proxyStatus(
    undefined,
    { reached: true, problems: [warning('SpecError', 'IgnoredField', 'y')] },
    1,
    [],
    now,
  )
  expect(status.currentStatus).toBe('valid')
})

test('what no root reached is orphaned', () => {
  const status = proxyStatus(undefined, { reached: false, problems: [] }, 1, [], now)
  expect(status.currentStatus).toBe('orphaned')
  expect(status.conditions?.[0]?.errors).toMatchObject([{ type: 'Orphaned', reason: 'Orphaned' }])
})

test('what Envoy refuses stands behind `Valid`, and is taken back', () => {
  const programmed = {
    type: 'Programmed',
    status: 'False' as const,
    reason: 'EnvoyRefused',
    message: 'no',
    lastTransitionTime: then,
  }
  const first = proxyStatus(undefined, good, 3, [], then, programmed)
  expect(first.currentStatus).toBe('valid')
  expect(first.conditions).toMatchObject([{ type: 'Valid' }, programmed])
  const same = proxyStatus(first, good, 4, [], now, programmed)
  expect(same.conditions).toMatchObject([{ type: 'Valid' }, programmed])
  expect(proxyStatus(same, good, 4, [], now).conditions?.map(({ type }) => type)).toEqual(['Valid'])
})

test('the transition time stays while the answer stays, and conditions of others are kept', () => {
  const foreign = {
    type: 'Theirs',
    status: 'True' as const,
    reason: 'R',
    message: '',
    lastTransitionTime: then,
  }
  const first = proxyStatus(undefined, good, 1, [], then)
  const current = { ...first, conditions: [foreign, ...(first.conditions ?? [])] }
  const same = proxyStatus(current, good, 2, [], now)
  expect(same.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
    ['Valid', then],
    ['Theirs', then],
  ])
  expect(proxyStatus(current, bad, 2, [], now).conditions?.[0]?.lastTransitionTime).toBe(now)
})
