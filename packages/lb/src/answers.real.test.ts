/** "Why no address?" on a real API server: Event, condition, log line and metric say the same, and say it once. */
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { type Cluster, type RawObject, serviceType } from '@landfall/kube'
import { awaited, RealApiServer, recreate, withoutApiServer } from '@landfall/kube/testing'
import { createLogger, Metrics } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControllerMetrics } from './controller-metrics.ts'
import type { Session } from './session.ts'
import { sessionFor } from './testing.ts'

const namespace = 'metallb-system'
const component = 'metallb-controller'
const dual = { ipFamilyPolicy: 'PreferDualStack' }

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  let session: Session
  const metrics = new Metrics('test')
  const lines: Record<string, unknown>[] = []

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await server.apply(...metallbResources.map((resource) => crdManifest(resource)))
    const spec = { addresses: ['192.0.2.0/30'] }
    const metadata = { namespace, name: 'four' }
    await server.apply({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec })
    await create('older')
    await give('older', '192.0.2.1')
    // Ages are told apart by the second.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await create('newer')
    await give('newer', '192.0.2.1')
    session = sessionFor(cluster, {
      logger: createLogger({ write: (line) => void lines.push(JSON.parse(line)) }),
      metrics: new ControllerMetrics(metrics),
    })
    await session.start()
  }, 90_000)

  afterAll(async () => {
    await session?.stop()
    cluster?.close()
    await server?.stop()
  })

  const create = (name: string, spec: object = {}, annotations: Readonly<Record<string, string>> = {}) =>
    recreate(cluster, serviceType, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name, annotations },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
    })

  const read = async (name: string) =>
    (await cluster.get(serviceType, `default/${name}`)) as RawObject & ServiceFields

  /** As somebody's hand or another controller does. */
  async function give(name: string, ...ips: readonly string[]): Promise<void> {
    const status = { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } }
    await cluster.update(serviceType, { ...(await read(name)), status }, 'status')
  }

  async function annotate(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    await cluster.patch(serviceType, `default/${name}`, { metadata: { annotations } })
  }

  /** `192.0.2.1 True Allocated` */
  async function told(name: string): Promise<string> {
    const { status } = await read(name)
    const own = status.conditions?.find(({ type }) => type === 'metallb.io/AddressAllocated')
    const ips = (status.loadBalancer.ingress ?? []).map(({ ip }) => ip)
    return [...ips, own?.status, own?.reason].filter((part) => part !== undefined).join(' ')
  }

  /** Ours about a Service, and how often each. */
  async function events(name: string): Promise<readonly string[]> {
    const { uid } = (await read(name)).metadata
    const list: { readonly items: readonly EventFields[] } = await cluster.request({
      method: 'GET',
      path: '/api/v1/namespaces/default/events',
    })
    return list.items
      .filter(({ involvedObject, source }) => involvedObject.uid === uid && source.component === component)
      .map(({ reason, count, type }) => `${type} ${reason} ${count}`)
      .toSorted((a, b) => a.localeCompare(b))
  }

  it('leaves one address that two hold to the older, and moves the newer with an Event', async () => {
    expect(await awaited(() => told('older'), '192.0.2.1 True Allocated')).toBe('192.0.2.1 True Allocated')
    expect(await awaited(() => told('newer'), '192.0.2.0 True Allocated')).toBe('192.0.2.0 True Allocated')
    const moved = ['Normal ClearAssignment 1', 'Normal IPAllocated 1']
    expect(await awaited(() => events('newer'), moved)).toEqual(moved)
    expect(await events('older')).toEqual([])
  })

  it('gives back what was cleared or overwritten by hand', async () => {
    await give('newer')
    expect(await awaited(() => told('newer'), '192.0.2.0 True Allocated')).toBe('192.0.2.0 True Allocated')
    await give('newer', '192.0.2.1')
    expect(await awaited(() => told('newer'), '192.0.2.0 True Allocated')).toBe('192.0.2.0 True Allocated')
    expect(await told('older')).toBe('192.0.2.1 True Allocated')
  })

  it.each([
    ['nowhere', {}, { 'metallb.io/address-pool': 'none' }, 'PoolNotFound'],
    ['outside', {}, { 'metallb.io/loadBalancerIPs': '198.51.100.1' }, 'AddressNotInPool'],
    ['nonsense', {}, { 'metallb.io/loadBalancerIPs': 'nonsense' }, 'InvalidRequest'],
    ['taken', {}, { 'metallb.io/loadBalancerIPs': '192.0.2.1' }, 'AddressInUse'],
    [
      'other-family',
      { ipFamilies: ['IPv6'] },
      { 'metallb.io/loadBalancerIPs': '192.0.2.2' },
      'FamilyMismatch',
    ],
    ['six', { ipFamilies: ['IPv6'] }, {}, 'NoFreeAddress'],
    ['both', { ipFamilyPolicy: 'RequireDualStack' }, {}, 'NoFreeAddress'],
  ])('says the same everywhere: %s', async (name, spec, annotations, code) => {
    await create(name, spec, annotations)
    expect(await awaited(() => told(name), `False ${code}`)).toBe(`False ${code}`)
    expect(await awaited(() => events(name), ['Warning AllocationFailed 1'])).toEqual([
      'Warning AllocationFailed 1',
    ])
    const line = lines.find(
      ({ service, event }) => service === `default/${name}` && event === 'allocationFailed',
    )
    expect(line).toMatchObject({ level: 'warn', reason: code, msg: expect.stringContaining(`${code}: `) })
    const counted = async () => {
      const text = await metrics.exposition()
      return new RegExp(`^landfall_lb_services_without_address\\{reason="${code}"\\} [1-9]`, 'm').test(text)
    }
    expect(await awaited(counted, true)).toBe(true)
  })

  it('says once that the other family is missing, whatever else happens to the Service', async () => {
    await create('prefers', dual)
    const settled = '192.0.2.2 True OneFamilyOnly'
    expect(await awaited(() => told('prefers'), settled)).toBe(settled)
    const said = ['Normal AdditionalAssignFailed 1', 'Normal IPAllocated 1']
    for (const touch of ['1', '2', '3']) {
      await annotate('prefers', { touch })
      await annotate('older', { touch })
    }
    await server.run(['delete', 'service', 'nowhere', '--ignore-not-found'])
    expect(await awaited(() => events('prefers'), said)).toEqual(said)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await events('prefers')).toEqual(said)
  })

  it('keeps the address while the request cannot be read', async () => {
    await annotate('prefers', { 'metallb.io/loadBalancerIPs': '192.0.2.2,' })
    const failed = async () => (await events('prefers')).includes('Warning LoadBalancerFailed 1')
    expect(await awaited(failed, true)).toBe(true)
    expect(await told('prefers')).toMatch(/^192\.0\.2\.2 True/)
  })

  it('says nothing about a Service of another class', async () => {
    await create('foreign', { loadBalancerClass: 'example.com/other' })
    await create('last')
    expect(await awaited(() => told('last'), '192.0.2.3 True Allocated')).toBe('192.0.2.3 True Allocated')
    expect([await told('foreign'), await events('foreign')]).toEqual(['', []])
  })

  const logged = (name: string, event: string) => () =>
    Promise.resolve(
      lines
        .filter((line) => line['service'] === `default/${name}` && line['event'] === event)
        .map(({ level, op, ips }) => ({ level, op, ips })),
    )

  it('warns of an annotation with the old prefix, once', async () => {
    await annotate('last', { 'metallb.universe.tf/address-pool': 'four' })
    const warned = ['Normal IPAllocated 1', 'Warning deprecatedAnnotation 1']
    expect(await awaited(() => events('last'), warned)).toEqual(warned)
    await annotate('last', { touch: 'it' })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await events('last')).toEqual(warned)
    expect(await logged('last', 'deprecatedAnnotation')()).toHaveLength(1)
  })

  it('takes all back from what is no load balancer any more, and gives the address to another', async () => {
    expect((await read('last')).metadata.annotations).toHaveProperty('metallb.io/ip-allocated-from-pool')
    await cluster.patch(serviceType, 'default/last', { spec: { type: 'ClusterIP' } })
    const left = async () => {
      const { metadata, status } = await read('last')
      const own = status.conditions?.filter(({ type }) => type.startsWith('metallb.io/')) ?? []
      return [status.loadBalancer.ingress, own, metadata.annotations?.['metallb.io/ip-allocated-from-pool']]
    }
    expect(await awaited(left, [undefined, [], undefined])).toEqual([undefined, [], undefined])
    const said = [{ level: 'info', op: 'setBalancer', ips: ['192.0.2.3'] }]
    expect(await awaited(logged('last', 'clearAssignment'), said)).toEqual(said)
    await create('heir')
    expect(await awaited(() => told('heir'), '192.0.2.3 True Allocated')).toBe('192.0.2.3 True Allocated')
  })

  it('logs what a deleted Service had', async () => {
    await cluster.delete(serviceType, 'default/heir')
    const said = [{ level: 'info', op: 'deleteBalancer', ips: ['192.0.2.3'] }]
    expect(await awaited(logged('heir', 'serviceDeleted'), said)).toEqual(said)
  })
})

interface ServiceFields {
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason: string
    }[]
    readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] }
  }
}

interface EventFields {
  readonly type: string
  readonly reason: string
  readonly count: number
  readonly involvedObject: { readonly uid: string }
  readonly source: { readonly component?: string }
}
