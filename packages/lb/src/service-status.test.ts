import type { RawObject } from '@landfall/kube'
import { expect, test } from 'vitest'
import { service } from './allocation/testing.ts'
import { differs, setStatus, withStatus } from './service-status.ts'
import { balancedServiceType } from './service-type.ts'

const foreign = { type: 'example.com/Ready', status: 'True' }

function raw(ingress: readonly object[], annotations: Record<string, string> = {}): RawObject {
  return {
    metadata: { name: 's', namespace: 'default', labels: { app: 'web' }, annotations },
    spec: { type: 'LoadBalancer' },
    status: { conditions: [foreign], loadBalancer: { ingress } },
  }
}

test('an assignment is written into status and annotation, and the rest of the object stays', () => {
  const next = withStatus(raw([], { other: 'x' }), { ips: ['10.0.0.1'], pool: 'p', answer: undefined })
  expect(next).toEqual({
    metadata: {
      name: 's',
      namespace: 'default',
      labels: { app: 'web' },
      annotations: { other: 'x', 'metallb.io/ip-allocated-from-pool': 'p' },
    },
    spec: { type: 'LoadBalancer' },
    status: { conditions: [foreign], loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } },
  })
})

test('what the server filled in for a kept address stays', () => {
  const filled = { ip: '10.0.0.1', ipMode: 'VIP' }
  const next = withStatus(raw([filled]), { ips: ['10.0.0.1', '2001:db8::1'], pool: 'p', answer: undefined })
  expect(next?.['status']).toEqual({
    conditions: [foreign],
    loadBalancer: { ingress: [filled, { ip: '2001:db8::1' }] },
  })
})

test('clearing takes the addresses and our annotation away', () => {
  const held = raw([{ ip: '10.0.0.1' }], { other: 'x', 'metallb.io/ip-allocated-from-pool': 'p' })
  const next = withStatus(held, { ips: [], pool: '', answer: undefined })
  expect(next?.metadata.annotations).toEqual({ other: 'x' })
  expect(next?.['status']).toEqual({ conditions: [foreign], loadBalancer: {} })
})

test('what is so already comes out as it was', () => {
  const held = raw([{ ip: '10.0.0.1', ipMode: 'VIP' }], { 'metallb.io/ip-allocated-from-pool': 'p' })
  expect(withStatus(held, { ips: ['10.0.0.1'], pool: 'p', answer: undefined })).toEqual(held)
})

test('an address of ours is a VIP, whatever mode stood there', () => {
  const held = raw([{ ip: '10.0.0.1', ipMode: 'Proxy', ports: [] }])
  const { status } = withStatus(held, { ips: ['10.0.0.1'], pool: 'p', answer: undefined })
  expect(status).toMatchObject({ loadBalancer: { ingress: [{ ip: '10.0.0.1', ipMode: 'VIP', ports: [] }] } })
})

test.each([
  ['no mode, as old API servers leave it', {}, false],
  ['the mode of ours', { ipMode: 'VIP' }, false],
  ['a mode that is not ours', { ipMode: 'Proxy' }, true],
])('%s', (_, mode, expected) => {
  const held = raw([{ ip: '10.0.0.1', ...mode }], { 'metallb.io/ip-allocated-from-pool': 'p' })
  const wanted = { ips: ['10.0.0.1'], pool: 'p', answer: undefined }
  expect(differs(balancedServiceType.project(held), wanted)).toBe(expected)
})

test('what is not as it was decided on is left alone', () => {
  const of = (uid: string, resourceVersion: string) => ({
    ...raw([]),
    metadata: { ...raw([]).metadata, uid, resourceVersion },
  })
  const decided = balancedServiceType.project(of('a', '1'))
  const wanted = { ips: ['10.0.0.1'], pool: 'p', answer: undefined }
  expect(setStatus(decided, wanted)(of('b', '1'))).toBeUndefined()
  expect(setStatus(decided, wanted)(of('a', '2'))).toBeUndefined()
  expect(setStatus(decided, wanted, () => false)(of('a', '1'))).toBeUndefined()
  expect(setStatus(decided, wanted)(of('a', '1'))).toEqual(withStatus(of('a', '1'), wanted))
})

const at = '2026-01-01T00:00:00Z'
const now = () => new Date(at)
const refused = { status: 'False', reason: 'NoFreeAddress', message: 'full', since: undefined } as const

test('the answer becomes a condition beside those of others, and goes with them', () => {
  const answered = withStatus(raw([]), { ips: [], pool: '', answer: refused }, now)
  const { since: _, ...said } = refused
  const condition = { type: 'metallb.io/AddressAllocated', ...said, lastTransitionTime: at }
  expect(answered['status']).toEqual({ conditions: [foreign, condition], loadBalancer: {} })
  const cleared = withStatus(answered, { ips: [], pool: '', answer: undefined })
  expect(cleared['status']).toEqual({ conditions: [foreign], loadBalancer: {} })
})

test('since when a pool is gone stands in the condition, so that a restart goes on counting', () => {
  const answer = { ...refused, reason: 'PoolRemoved', since: Date.parse('2026-01-01T00:00:07Z') }
  const { status } = withStatus(raw([]), { ips: [], pool: '', answer }, now)
  expect(status).toMatchObject({ conditions: [foreign, { lastTransitionTime: '2026-01-01T00:00:07Z' }] })
})

const allocated = { status: 'True', reason: 'Allocated', message: '10.0.0.1 from pool p', since: at }
const answer = { ...allocated, status: 'True', since: undefined } as const

test.each([
  ['the same', ['10.0.0.1'], 'p', answer, false],
  ['another address', ['10.0.0.2'], 'p', answer, true],
  ['another pool name', ['10.0.0.1'], 'q', answer, true],
  ['another reason', ['10.0.0.1'], 'p', refused, true],
  ['nothing', [], '', undefined, true],
])('a Service that holds 10.0.0.1 of p and should hold %s', (_, ips, pool, answer, expected) => {
  const annotations = { 'metallb.io/ip-allocated-from-pool': 'p' }
  const held = service('s', { status: ['10.0.0.1'], annotations, allocated })
  expect(differs(held, { ips, pool, answer })).toBe(expected)
})
