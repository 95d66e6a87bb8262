/** A term as leader on a real API server: what stands in Services, pools and the ConfigurationState afterwards. */
import { isDeepStrictEqual } from 'node:util'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { type Cluster, configMapType, type RawObject, type ResourceType, serviceType } from '@landfall/kube'
import { findBinaries, RealApiServer } from '@landfall/kube/testing'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControllerMetrics } from './controller-metrics.ts'
import { Session } from './session.ts'

const binaries = findBinaries()
const skipped = typeof binaries === 'string' && process.env['LANDFALL_NO_SKIP'] !== '1'
if (skipped) process.stdout.write(`skipped, for there is ${binaries}\n`)

const namespace = 'metallb-system'
const poolRemovalGraceMs = 3000

describe.skipIf(skipped)('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  let session: Session

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    await cluster.request({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: namespace } },
    })
    session = new Session({
      cluster,
      namespace,
      configMap: 'config',
      loadBalancerClass: '',
      poolRemovalGraceMs,
      logger: silentLogger(),
      metrics: new ControllerMetrics(new Metrics('test')),
      mayWrite: () => true,
    })
    await session.start()
  }, 90_000)

  afterAll(async () => {
    await session?.stop()
    cluster?.close()
    await server?.stop()
  })

  async function until<T>(read: () => Promise<T>, expected: unknown): Promise<unknown> {
    const end = performance.now() + 20_000
    for (;;) {
      const seen = await read().catch((error: unknown) => error)
      if (isDeepStrictEqual(seen, expected) || performance.now() > end) return seen
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** `10.0.0.1 True Allocated` */
  async function told(name: string): Promise<string> {
    const { status } = (await cluster.get(serviceType, `default/${name}`)) as RawObject & {
      status: ServiceStatus
    }
    const { ingress = [] } = status.loadBalancer
    const own = status.conditions?.find(({ type }) => type === 'metallb.io/AddressAllocated')
    return [...ingress.map(({ ip, ipMode }) => `${ip} ${ipMode}`), own?.status, own?.reason].join(' ')
  }

  const ask = (name: string) =>
    cluster.create(serviceType, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
  const configure = (verb: 'POST' | 'PUT', config: string) =>
    cluster.request({
      method: verb,
      path: `/api/v1/namespaces/${namespace}/configmaps${verb === 'POST' ? '' : '/config'}`,
      body: { metadata: { namespace, name: 'config' }, data: { config } },
    })
  const legacy = (addresses: string) =>
    `address-pools: [{name: old, protocol: layer2, addresses: [${addresses}]}]`

  /** Which configuration rules, where there are two. */
  async function source(): Promise<string | undefined> {
    const state = (await cluster.get(stateType, `${namespace}/controller`)) as RawObject & {
      status: ServiceStatus
    }
    return state.status.conditions?.find(({ type }) => type === 'configurationSource')?.reason
  }

  it('reads the ConfigMap where there are no definitions, and refuses one that drops an address in use', async () => {
    await ask('first')
    expect(await until(() => told('first'), 'False NoPools')).toEqual('False NoPools')
    await configure('POST', legacy('192.0.2.10/31'))
    expect(await until(() => told('first'), '192.0.2.10 VIP True Allocated')).toEqual(
      '192.0.2.10 VIP True Allocated',
    )
    await configure('PUT', legacy('192.0.2.20/31'))
    await ask('second')
    expect(await until(() => told('second'), '192.0.2.11 VIP True Allocated')).toEqual(
      '192.0.2.11 VIP True Allocated',
    )
    await ask('third')
    expect(await until(() => told('third'), 'False NoFreeAddress')).toEqual('False NoFreeAddress')
    await configure('PUT', legacy('192.0.2.10/31, 192.0.2.20/31'))
    expect(await until(() => told('third'), '192.0.2.20 VIP True Allocated')).toEqual(
      '192.0.2.20 VIP True Allocated',
    )
  })

  it('lets objects rule as soon as there is a pool, and says so', async () => {
    for (const resource of metallbResources)
      await cluster.create(definitionType, { ...crdManifest(resource) })
    const pool = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { namespace, name: 'new' },
      spec: { addresses: ['192.0.2.8/30', '192.0.2.20/31', '2001:db8::/64'] },
    }
    const create = () => cluster.create(poolType, pool)
    expect(await until(() => create().then(() => true), true)).toEqual(true)
    expect(await until(source, 'Objects')).toEqual('Objects')
    expect(await told('first')).toBe('192.0.2.10 VIP True Allocated')
    const counters = async () => {
      const text = await rawText(`/apis/metallb.io/v1beta1/namespaces/${namespace}/ipaddresspools/new`)
      const { status } = JSON.parse(text) as { readonly status: ServiceStatus }
      const fullness = status.conditions?.find(({ type }) => type === 'NearlyFull')
      return [...text.matchAll(/"(?:assigned|available)IPv[46]":\d+/g)]
        .map(([one]) => one)
        .toSorted((a, b) => a.localeCompare(b))
        .concat(fullness?.reason ?? '')
    }
    expect(
      await until(counters, [
        '"assignedIPv4":3',
        '"assignedIPv6":0',
        '"availableIPv4":3',
        '"availableIPv6":9223372036854775807',
        'EnoughFree',
      ]),
    ).toEqual([
      '"assignedIPv4":3',
      '"assignedIPv6":0',
      '"availableIPv4":3',
      '"availableIPv6":9223372036854775807',
      'EnoughFree',
    ])
  })

  it('keeps the addresses of a pool that is deleted and put back, and lets them go when it is not', async () => {
    await cluster.delete(configMapType, `${namespace}/config`)
    expect(await until(source, undefined)).toEqual(undefined)
    const pool = await cluster.get(poolType, `${namespace}/new`)
    const put = () => cluster.create(poolType, { ...pool, metadata: { namespace, name: 'new' } })
    await cluster.delete(poolType, `${namespace}/new`)
    expect(await until(() => told('first'), '192.0.2.10 VIP False PoolRemoved')).toEqual(
      '192.0.2.10 VIP False PoolRemoved',
    )
    await put()
    expect(await until(() => told('first'), '192.0.2.10 VIP True Allocated')).toEqual(
      '192.0.2.10 VIP True Allocated',
    )
    await cluster.delete(poolType, `${namespace}/new`)
    expect(await until(() => told('first'), 'False NoPools')).toEqual('False NoPools')
  })

  async function rawText(path: string): Promise<string> {
    const answer = await cluster.open({ method: 'GET', path, signal: AbortSignal.timeout(5000) })
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    return text
  }
})

interface ServiceStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
  readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string; readonly ipMode?: string }[] }
}

const poolType = typeOf('metallb.io/v1beta1', 'IPAddressPool', 'ipaddresspools', true)
const stateType = typeOf('metallb.io/v1beta1', 'ConfigurationState', 'configurationstates', true)
const definitionType = typeOf(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
)

function typeOf(apiVersion: string, kind: string, plural: string, namespaced: boolean): ResourceType {
  const project = () => {
    throw new Error('not watched')
  }
  return { apiVersion, kind, plural, namespaced, project }
}
