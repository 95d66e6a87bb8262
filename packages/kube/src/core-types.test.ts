import { describe, expect, it } from 'vitest'
import {
  endpointSliceType,
  endpointsType,
  ingressType,
  namespaceType,
  nodeType,
  podType,
  secretType,
  serviceType,
} from './core-types.ts'
import { pathOf, type RawObject } from './resource.ts'

const metadata = { namespace: 'shop', name: 'web', uid: 'u', resourceVersion: '7', generation: 2 }

describe('projections', () => {
  it('of metadata drop what nobody reads', () => {
    const raw: RawObject = {
      metadata: {
        ...metadata,
        creationTimestamp: '2026-01-01T00:00:00Z',
        deletionTimestamp: '2026-01-02T00:00:00Z',
        labels: { a: 'b' },
        annotations: { keep: 'me', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
        managedFields: [{}],
      },
    }
    expect(namespaceType.project(raw).meta).toEqual({
      ...metadata,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { a: 'b' },
      annotations: { keep: 'me' },
      deleting: true,
    })
  })

  it('of a Service', () => {
    const spec = {
      type: 'LoadBalancer',
      clusterIPs: ['10.96.0.5', 'fd00::5'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'PreferDualStack',
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http', nodePort: 30080, protocol: 'TCP', appProtocol: 'h2c' },
        { port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
    }
    const status = {
      loadBalancer: {
        ingress: [
          { ip: '192.0.2.1', ipMode: 'VIP' },
          { ip: '192.0.2.2', ipMode: 'Proxy' },
          { hostname: 'x' },
        ],
      },
    }
    expect(serviceType.project({ metadata, spec, status })).toMatchObject({
      type: 'LoadBalancer',
      loadBalancerClass: '',
      loadBalancerIP: '',
      ipFamilies: ['IPv4', 'IPv6'],
      externalTrafficPolicy: 'Cluster',
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, targetPort: 'http', nodePort: 30080, appProtocol: 'h2c' },
        { name: '', protocol: 'UDP', port: 53, targetPort: 5353, nodePort: 0, appProtocol: '' },
      ],
      ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { hostname: 'x' }],
    })
  })

  it.each<[string, object, readonly string[]]>([
    [
      'all where they are said',
      { clusterIP: '10.0.0.5', clusterIPs: ['10.0.0.5', 'fd00::5'] },
      ['10.0.0.5', 'fd00::5'],
    ],
    ['the one of an older server', { clusterIP: '10.0.0.5' }, ['10.0.0.5']],
    ['none of a headless one', { clusterIP: 'None', clusterIPs: ['None'] }, ['None']],
    ['none of a headless one of an older server', { clusterIP: 'None' }, ['None']],
    ['none that is said to be none', { clusterIP: '10.0.0.5', clusterIPs: [] }, []],
    ['none of one that has none yet', { clusterIP: '' }, []],
  ])('of a Service have its cluster addresses: %s', (_, spec, clusterIPs) => {
    expect(serviceType.project({ metadata, spec })).toMatchObject({ clusterIPs, ipFamilies: [] })
  })

  it('of an EndpointSlice read absent conditions as the API says', () => {
    const raw: RawObject = {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080 }],
      endpoints: [
        { addresses: ['10.0.0.1'], nodeName: 'n1' },
        { addresses: ['10.0.0.2'], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ['10.0.0.3'], conditions: { ready: false } },
      ],
    }
    const slice = endpointSliceType.project(raw)
    expect(slice).toMatchObject({ serviceName: 'web', ports: [{ name: '', protocol: 'TCP', port: 8080 }] })
    expect(slice.endpoints.map((one) => [one.ready, one.serving, one.terminating, one.nodeName])).toEqual([
      [true, true, false, 'n1'],
      [false, true, true, ''],
      [false, false, false, ''],
    ])
  })

  it('of Endpoints is the one slice of its Service', () => {
    const raw: RawObject = {
      metadata,
      subsets: [
        {
          addresses: [{ ip: '10.0.0.1', nodeName: 'n1' }, { ip: '10.0.0.2' }],
          notReadyAddresses: [{ ip: '10.0.0.3', nodeName: 'n3' }],
          ports: [{ name: 'http', port: 8080 }],
        },
        { addresses: [{ ip: '10.0.0.4', nodeName: 'n4' }] },
      ],
    }
    const slice = endpointsType.project(raw)
    expect(slice).toMatchObject({ serviceName: 'web', addressType: 'IPv4' })
    expect(slice.ports).toEqual([{ name: 'http', protocol: 'TCP', port: 8080 }])
    expect(slice.endpoints.map((one) => [one.addresses[0], one.ready, one.serving, one.nodeName])).toEqual([
      ['10.0.0.1', true, true, 'n1'],
      ['10.0.0.2', true, true, ''],
      ['10.0.0.3', false, false, 'n3'],
      ['10.0.0.4', true, true, 'n4'],
    ])
    expect(endpointsType.project({ metadata }).endpoints).toEqual([])
  })

  it('of a Node and a Pod', () => {
    const status = {
      addresses: [
        { type: 'Hostname', address: 'n1' },
        { type: 'InternalIP', address: '10.0.0.1' },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
      podIPs: [{ ip: '10.244.0.2' }],
      hostIPs: [{ ip: '10.0.0.1' }],
      phase: 'Running',
    }
    expect(nodeType.project({ metadata, spec: { unschedulable: true }, status })).toMatchObject({
      internalIPs: ['10.0.0.1'],
      ready: true,
      networkUnavailable: false,
      unschedulable: true,
      outOfService: false,
    })
    const taints = [{ key: 'other' }, { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }]
    expect(nodeType.project({ metadata, spec: { taints }, status }).outOfService).toBe(true)
    expect(podType.project({ metadata, spec: { nodeName: 'n1' }, status })).toMatchObject({
      nodeName: 'n1',
      podIPs: ['10.244.0.2'],
      hostIPs: ['10.0.0.1'],
      phase: 'Running',
      ready: true,
      graceSeconds: 30,
    })
    const spec = { terminationGracePeriodSeconds: 2 }
    expect(podType.project({ metadata, spec, status }).graceSeconds).toBe(2)
    const deleted = { ...metadata, deletionGracePeriodSeconds: 0 }
    expect(podType.project({ metadata: deleted, spec, status }).graceSeconds).toBe(0)
  })

  it('of a Secret decode its data', () => {
    const secret = secretType.project({ metadata, type: 'Opaque', data: { k: 'w6Q=' } })
    expect(secret.data).toEqual({ k: new Uint8Array([0xc3, 0xa4]) })
  })

  it('of an Ingress know backends of other kinds as none', () => {
    const backend = { service: { name: 'web', port: { number: 80 } } }
    const paths = [
      { path: '/', pathType: 'Prefix', backend },
      { backend: { resource: { kind: 'Bucket', name: 'b' } } },
    ]
    const spec = {
      ingressClassName: 'contour',
      defaultBackend: { service: { name: 'web', port: { name: 'http' } } },
      tls: [{ hosts: ['a.example'], secretName: 's' }],
      rules: [{ host: 'a.example', http: { paths } }, {}],
    }
    expect(ingressType.project({ metadata, spec })).toMatchObject({
      ingressClassName: 'contour',
      defaultBackend: { serviceName: 'web', port: { number: 0, name: 'http' } },
      tls: [{ hosts: ['a.example'], secretName: 's' }],
      rules: [
        {
          host: 'a.example',
          paths: [
            {
              path: '/',
              pathType: 'Prefix',
              backend: { serviceName: 'web', port: { number: 80, name: '' } },
            },
            { path: '', pathType: 'ImplementationSpecific', backend: undefined },
          ],
        },
        { host: '', paths: [] },
      ],
    })
  })

  it('take any object of the right envelope', () => {
    for (const type of [serviceType, endpointSliceType, nodeType, podType, secretType, ingressType]) {
      expect(type.project({ metadata: { name: 'bare' } }).meta.name).toBe('bare')
      expect(type.project({ metadata: { name: 'odd' }, spec: 7, status: [1], data: null }).meta.name).toBe(
        'odd',
      )
    }
  })
})

it('paths are those of the API', () => {
  expect(pathOf(serviceType)).toBe('/api/v1/services')
  expect(pathOf(serviceType, { namespace: 'shop', name: 'web', subresource: 'status' })).toBe(
    '/api/v1/namespaces/shop/services/web/status',
  )
  expect(pathOf(endpointSliceType, { namespace: 'shop' })).toBe(
    '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices',
  )
  expect(pathOf(nodeType, { namespace: '', name: 'n1' })).toBe('/api/v1/nodes/n1')
})
