/** A term as leader on a real API server: what stands in Services, pools and the ConfigurationState afterwards. */
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { type Cluster, configMapType, type RawObject, type ResourceType, serviceType } from '@landfall/kube'
import { awaited, RealApiServer, recreate, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Session } from './session.ts'
import { sessionFor } from './testing.ts'

const namespace = 'metallb-system'
/** In it a test takes note that the pool is gone, and puts it back. */
const poolRemovalGraceMs = 8000

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
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
    session = sessionFor(cluster, {
      poolRemovalGraceMs,
    })
    await session.start()
  }, 90_000)

  afterAll(async () => {
    await session?.stop()
    cluster?.close()
    await server?.stop()
  })

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
    recreate(cluster, serviceType, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
  const configure = (config: string) =>
    server.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'config' },
      data: { config },
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
    expect(await awaited(() => told('first'), 'False NoPools')).toEqual('False NoPools')
    await configure(legacy('192.0.2.10/31'))
    expect(await awaited(() => told('first'), '192.0.2.10 VIP True Allocated')).toEqual(
      '192.0.2.10 VIP True Allocated',
    )
    await configure(legacy('192.0.2.20/31'))
    await ask('second')
    expect(await awaited(() => told('second'), '192.0.2.11 VIP True Allocated')).toEqual(
      '192.0.2.11 VIP True Allocated',
    )
    await ask('third')
    expect(await awaited(() => told('third'), 'False NoFreeAddress')).toEqual('False NoFreeAddress')
    await configure(legacy('192.0.2.10/31, 192.0.2.20/31'))
    expect(await awaited(() => told('third'), '192.0.2.20 VIP True Allocated')).toEqual(
      '192.0.2.20 VIP True Allocated',
    )
  })

  it('lets objects rule as soon as there is a usable pool, and says so', async () => {
    await server.apply(...metallbResources.map((resource) => crdManifest(resource)))
    const pool = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { namespace, name: 'new' },
      spec: { addresses: ['192.0.2.8/30', '192.0.2.20/31', '2001:db8::/64'] },
    }
    // One that is refused takes no address away.
    const broken = {
      metadata: { namespace, name: 'broken' },
      spec: { addresses: ['192.0.2.8/30', '10.300.0.0/24'] },
    }
    await server.apply({ ...pool, ...broken })
    const verdict = async () => {
      const { status } = (await cluster.get(poolType, `${namespace}/broken`)) as RawObject & {
        status: ServiceStatus
      }
      return status.conditions?.map(({ type, reason }) => `${type} ${reason}`)
    }
    expect(await awaited(verdict, ['Valid InvalidAddress'])).toEqual(['Valid InvalidAddress'])
    expect(await awaited(source, 'ConfigMap')).toEqual('ConfigMap')
    expect(await told('first')).toEqual('192.0.2.10 VIP True Allocated')
    await cluster.delete(poolType, `${namespace}/broken`)
    await server.apply(pool)
    expect(await awaited(source, 'Objects')).toEqual('Objects')
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
      await awaited(counters, [
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

  it('corrects a mode that others wrote, and is at rest then', async () => {
    const { status, ...held } = (await cluster.get(serviceType, 'default/first')) as RawObject & {
      status: ServiceStatus
    }
    const loadBalancer = { ingress: [{ ip: '192.0.2.10', ipMode: 'Proxy' }] }
    await cluster.update(serviceType, { ...held, status: { ...status, loadBalancer } }, 'status')
    const expected = '192.0.2.10 VIP True Allocated'
    expect(await awaited(() => told('first'), expected)).toEqual(expected)
    const version = async () => (await cluster.get(serviceType, 'default/first')).metadata.resourceVersion
    const before = await version()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await version()).toBe(before)
  })

  it('keeps the addresses of a pool that is deleted and put back, and lets them go when it is not', async () => {
    await cluster.delete(configMapType, `${namespace}/config`)
    expect(await awaited(source, undefined)).toEqual(undefined)
    const pool = await cluster.get(poolType, `${namespace}/new`)
    const put = () => cluster.create(poolType, { ...pool, metadata: { namespace, name: 'new' } })
    await cluster.delete(poolType, `${namespace}/new`)
    expect(await awaited(() => told('first'), '192.0.2.10 VIP False PoolRemoved')).toEqual(
      '192.0.2.10 VIP False PoolRemoved',
    )
    await put()
    expect(await awaited(() => told('first'), '192.0.2.10 VIP True Allocated')).toEqual(
      '192.0.2.10 VIP True Allocated',
    )
    await cluster.delete(poolType, `${namespace}/new`)
    expect(await awaited(() => told('first'), 'False NoPools')).toEqual('False NoPools')
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

function typeOf(apiVersion: string, kind: string, plural: string, namespaced: boolean): ResourceType {
  const project = () => {
    throw new Error('not watched')
  }
  return { apiVersion, kind, plural, namespaced, project }
}
