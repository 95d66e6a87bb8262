import { endpointSliceType } from '@landfall/kube'
import { expect, test } from 'vitest'
import { leanServiceType, leanSlices } from './lean-types.ts'

const metadata = (name: string) => ({
  namespace: 'default',
  name,
  uid: `uid-${name}`,
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels: { 'kubernetes.io/service-name': 'web', app: 'web' },
  annotations: { 'metallb.io/ip-allocated-from-pool': 'pool' },
})

test('of a Service what a plan reads is held', () => {
  const service = leanServiceType.project({
    metadata: metadata('web'),
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'web' },
      ports: [{ port: 80 }],
      clusterIPs: ['10.96.0.1'],
    },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
  })
  expect(service).toEqual({
    meta: expect.objectContaining({
      resourceVersion: '7',
      labels: metadata('web').labels,
      annotations: metadata('web').annotations,
    }),
    type: 'LoadBalancer',
    loadBalancerClass: '',
    externalTrafficPolicy: 'Cluster',
    ingress: [{ ip: '192.0.2.1' }],
  })
})

test('of EndpointSlices where endpoints are and whether they serve, equal ones once', () => {
  const type = leanSlices(endpointSliceType)
  const [first, second] = ['a', 'b'].map((name) =>
    type.project({
      metadata: metadata(name),
      addressType: 'IPv4',
      ports: [{ port: 8080 }],
      endpoints: [
        { addresses: [`10.0.0.${name.length}`], nodeName: 'n1', conditions: { ready: true } },
        { addresses: ['10.0.0.9'], nodeName: 'n2', conditions: { ready: false, serving: true } },
      ],
    }),
  )
  expect(first).toEqual({
    meta: expect.objectContaining({
      namespace: 'default',
      name: 'a',
      uid: 'uid-a',
      labels: {},
      annotations: {},
    }),
    serviceName: 'web',
    endpoints: [
      { ready: true, serving: true, nodeName: 'n1' },
      { ready: false, serving: true, nodeName: 'n2' },
    ],
  })
  expect(second?.endpoints[0]).toBe(first?.endpoints[0])
  expect(second?.endpoints[1]).not.toBe(second?.endpoints[0])
})
