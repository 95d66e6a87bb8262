/** The addresses of the Service in front of Envoy in the statuses of what is served. */
import type { RawObject } from '@landfall/kube'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../envoy-process/envoy-process.ts'
import { ServeBed } from './serve-bed.ts'

const proxies = '/apis/projectcontour.io/v1/httpproxies'
const ingresses = '/apis/networking.k8s.io/v1/ingresses'
const services = '/api/v1/services'
const first = { ip: '192.0.2.1' }
const second = { ip: '192.0.2.2' }

let bed: ServeBed
beforeEach(async () => {
  bed = await new ServeBed().open()
})
afterEach(() => bed.close())

/** The Service in front of Envoy, where `serve` looks for it. */
function envoy(version: number, ...ingress: readonly object[]): RawObject {
  const metadata = { name: 'envoy', namespace: 'ns', resourceVersion: `${version}` }
  return {
    metadata,
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress } },
  }
}

const shop: RawObject = {
  metadata: { name: 'shop', namespace: 'web', resourceVersion: '1' },
  spec: { ports: [{ name: 'http', port: 80 }] },
}
const backend = { service: { name: 'shop', port: { number: 80 } } }
const stored = new Map<string, RawObject>([
  [
    '/apis/projectcontour.io/v1/namespaces/web/httpproxies/valid',
    proxy('valid', {
      virtualhost: { fqdn: 'valid.test' },
      routes: [{ services: [{ name: 'shop', port: 80 }] }],
    }),
  ],
  ['/apis/projectcontour.io/v1/namespaces/web/httpproxies/orphan', proxy('orphan', { routes: [] })],
  [
    '/apis/networking.k8s.io/v1/namespaces/web/ingresses/shop',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', namespace: 'web', resourceVersion: '2' },
      spec: { rules: [{ host: 'shop.test', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
    },
  ],
])

function proxy(name: string, spec: object): RawObject {
  const metadata = { name, namespace: 'web', generation: 1, resourceVersion: '2' }
  return { apiVersion: 'projectcontour.io/v1', kind: 'HTTPProxy', metadata, spec }
}

const shown = () =>
  [...stored.values()].map(
    ({ status }) => (status as { readonly loadBalancer?: object } | undefined)?.loadBalancer,
  )

test('defect 12: they are in every status, follow the Service, and go from it when it loses them', async () => {
  let version = 10
  bed.server.answer = ({ method, path, body, query }) => {
    const at = path.replace(/\/status$/, '')
    const object = stored.get(at)
    if (query.has('watch') || object === undefined) return undefined
    if (method !== 'PUT') return { body: object }
    const metadata = { ...object.metadata, resourceVersion: `${version++}` }
    const now = { ...object, metadata, status: (body as RawObject)['status'] }
    stored.set(at, now)
    void bed.watch(object.kind === 'Ingress' ? ingresses : proxies).send({ type: 'MODIFIED', object: now })
    return { body: now }
  }
  const of = (kind: string) => [...stored.values()].filter((object) => object.kind === kind)
  await bed.serve(
    { [proxies]: of('HTTPProxy'), [ingresses]: of('Ingress'), [services]: [shop, envoy(1, first)] },
    { leaderElection: undefined },
  )
  const all = async (told: object) => {
    await eventually(JSON.stringify(told), () =>
      shown().every((one) => JSON.stringify(one) === JSON.stringify(told)) ? true : undefined,
    )
    expect(shown()).toEqual([told, told, told])
  }
  const becomes = (version: number, ...ingress: readonly object[]) =>
    bed.watch(services).send({ type: 'MODIFIED', object: envoy(version, ...ingress) })
  await all({ ingress: [first] })
  await becomes(2, first, second)
  await all({ ingress: [first, second] })
  await becomes(3)
  await all({})
  await becomes(4, second)
  await all({ ingress: [second] })
  await bed.watch(services).send({ type: 'DELETED', object: envoy(4, second) })
  await all({})
})
