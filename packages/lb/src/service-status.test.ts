import type { RawObject } from '@landfall/kube'
import { expect, test } from 'vitest'
import { service } from './allocation/testing.ts'
import { differs, withStatus } from './service-status.ts'

const foreign = { type: 'example.com/Ready', status: 'True' }

function raw(ingress: readonly object[], annotations: Record<string, string> = {}): RawObject {
  return {
    metadata: { name: 's', namespace: 'default', labels: { app: 'web' }, annotations },
    spec: { type: 'LoadBalancer' },
    status: { conditions: [foreign], loadBalancer: { ingress } },
  }
}

test('an assignment is written into status and annotation, and the rest of the object stays', () => {
  const next = withStatus(raw([], { other: 'x' }), { ips: ['10.0.0.1'], pool: 'p' })
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
  const next = withStatus(raw([filled]), { ips: ['10.0.0.1', '2001:db8::1'], pool: 'p' })
  expect(next?.['status']).toEqual({
    conditions: [foreign],
    loadBalancer: { ingress: [filled, { ip: '2001:db8::1' }] },
  })
})

test('clearing takes the addresses and our annotation away', () => {
  const held = raw([{ ip: '10.0.0.1' }], { other: 'x', 'metallb.io/ip-allocated-from-pool': 'p' })
  const next = withStatus(held, { ips: [], pool: '' })
  expect(next?.metadata.annotations).toEqual({ other: 'x' })
  expect(next?.['status']).toEqual({ conditions: [foreign], loadBalancer: {} })
})

test('what is so already is not written', () => {
  const held = raw([{ ip: '10.0.0.1', ipMode: 'VIP' }], { 'metallb.io/ip-allocated-from-pool': 'p' })
  expect(withStatus(held, { ips: ['10.0.0.1'], pool: 'p' })).toBeUndefined()
  expect(withStatus(held, { ips: ['10.0.0.1'], pool: 'q' })).toBeDefined()
  expect(withStatus(raw([]), { ips: [], pool: '' })).toBeUndefined()
})

test.each([
  ['the same', ['10.0.0.1'], 'p', false],
  ['another address', ['10.0.0.2'], 'p', true],
  ['another pool name', ['10.0.0.1'], 'q', true],
  ['nothing', [], '', true],
])('a Service that holds 10.0.0.1 of p and should hold %s', (_, ips, pool, expected) => {
  const annotations = { 'metallb.io/ip-allocated-from-pool': 'p' }
  expect(differs(service('s', { status: ['10.0.0.1'], annotations }), { ips, pool })).toBe(expected)
})
