import type { RawObject } from '@landfall/kube'
import { expect, test } from 'vitest'
import { FreshServices } from './fresh-services.ts'

const service = (name: string, version = '1', more: Readonly<Record<string, unknown>> = {}): RawObject => ({
  metadata: { namespace: 'default', name, uid: name, resourceVersion: version, finalizers: ['theirs'] },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  ...more,
})
const addressed = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
const kind = { apiVersion: 'v1', kind: 'Service' }

test('a Service that waits for an address is there as it was read, for one write', () => {
  const fresh = new FreshServices('')
  const seen = fresh.type.project(service('a'))
  expect(fresh.take(seen)).toEqual({ observed: { ...kind, ...service('a') } })
  expect(fresh.take(seen)).toEqual({})
})

test('one that is not the newest, has an address, or is none of a load balancer is to be read', () => {
  const fresh = new FreshServices('')
  const before = fresh.type.project(service('a'))
  fresh.type.project(service('a', '2'))
  expect(fresh.take(before)).toEqual({})
  const anothers = { spec: { type: 'LoadBalancer', loadBalancerClass: 'a.b/c', ports: [] } }
  const large = { metadata: { ...service('b', '2').metadata, annotations: { long: 'x'.repeat(5000) } } }
  for (const more of [addressed, anothers, large, { spec: { type: 'ClusterIP', ports: [] } }]) {
    fresh.type.project(service('b', '1'))
    expect(fresh.take(fresh.type.project(service('b', '2', more)))).toEqual({})
  }
})

test('of many the newest are kept', () => {
  const fresh = new FreshServices('')
  const seen = Array.from({ length: 100 }, (_, i) => fresh.type.project(service(`s${i}`)))
  const kept = seen.flatMap((one, i) => ('observed' in fresh.take(one) ? [i] : []))
  expect(kept).toEqual(Array.from({ length: 64 }, (_, i) => 36 + i))
})
