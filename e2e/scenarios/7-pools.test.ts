/** A pool in use is taken away, put back, and broken by an edit: its Services keep their addresses, announced throughout. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubernetesObject, Manifest } from '../lab/index.ts'
import { watchArp } from '../load/arp-watch.ts'
import { watchRoute } from '../load/route-watch.ts'
import { echo, namespaceObject, scenarioLab } from './site.ts'

const lab = scenarioLab()
const namespace = 'removal'
const system = 'metallb-system'
const pinned = '192.168.77.150'
const asked = '192.168.77.153'
const addresses = { pinned, asked }
const whole = pool('192.168.77.150-192.168.77.155')
const annotations = {
  pinned: { 'metallb.io/address-pool': namespace },
  asked: { 'metallb.io/loadBalancerIPs': asked },
}
const selected = { ipAddressPools: [namespace] }
const announced = [object('L2Advertisement', selected), object('BGPAdvertisement', selected)]
const services = Object.entries(annotations).map(([name, wishes]) => service(name, wishes))

interface ServiceObject extends KubernetesObject {
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] }
    readonly conditions?: readonly { readonly type: string; readonly reason: string }[]
  }
}

interface PoolObject extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

interface Pod extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
}

describe('a pool in use', () => {
  beforeAll(async () => {
    await lab.apply([namespaceObject(namespace), ...echo(namespace, 'tea', { replicas: 2 })])
    await lab.apply([whole, ...announced, ...services])
    await areSaidToBe('Allocated')
    await answer()
  })

  afterAll(async () => {
    await lab.kubectl(['delete', 'namespace', namespace, '--ignore-not-found'])
    await lab.delete([whole, ...announced])
  })

  it('deleted and put back: every Service keeps its address, announced the whole time', async () => {
    const arp = Object.values(addresses).map((ip) => watchArp(lab.client, ip))
    const routes = lab.routers.flatMap((router) =>
      Object.values(addresses).map((ip) => watchRoute(router, ip)),
    )
    const seen = watchAddresses()
    try {
      await allAnswer(arp)
      await lab.delete([whole])
      await areSaidToBe('PoolRemoved')
      await allAnswer(arp)
      await lab.apply([whole])
      await areSaidToBe('Allocated')
      await allAnswer(arp)
    } finally {
      await Promise.all([seen, ...arp, ...routes].map((watch) => watch.stop()))
    }
    expect(seen.states).toEqual(new Set([`asked ${asked}`, `pinned ${pinned}`]))
    for (const { answers } of arp) expect(new Set(answers.map(({ mac }) => mac)).size).toBe(1)
    expect(routes.map((route) => route.losses())).toEqual(routes.map(() => 0))
    expect(await withdrawals()).toEqual([])
  })

  it('broken by an edit: they keep it, and have it after a restart of everything', async () => {
    await lab.apply([pool('192.168.300.0/24')])
    await lab.waitFor('the pool to be refused', async () => {
      const seen = await lab.get<PoolObject>('ipaddresspool', namespace, system)
      return seen?.status?.conditions?.some(({ type, status }) => type === 'Valid' && status === 'False')
    })
    await lab.kubectl(['delete', 'pods', '--all', '-n', system])
    for (const workload of ['deployment/controller', 'daemonset/speaker'])
      await lab.kubectl(['rollout', 'status', workload, '-n', system, '--timeout=90s'])
    await answer()
    await areSaidToBe('Allocated')
    expect(await withdrawals()).toEqual([])
    await lab.apply([whole])
    await lab.waitFor('the pool to be taken', async () => {
      const seen = await lab.get<PoolObject>('ipaddresspool', namespace, system)
      return seen?.status?.conditions?.some(({ type, status }) => type === 'Valid' && status === 'True')
    })
    await areSaidToBe('Allocated')
    expect(new Set(await held())).toEqual(new Set([`asked ${asked}`, `pinned ${pinned}`]))
  })
})

function object(kind: string, spec: object): Manifest {
  return { apiVersion: 'metallb.io/v1beta1', kind, metadata: { namespace: system, name: namespace }, spec }
}

function pool(range: string): Manifest {
  return object('IPAddressPool', { addresses: [range], autoAssign: false })
}

function service(name: string, wishes: object): Manifest {
  const spec = { type: 'LoadBalancer', selector: { app: 'tea' }, ports: [{ port: 80, targetPort: 8080 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, annotations: wishes }, spec }
}

function balanced(): Promise<readonly ServiceObject[]> {
  return lab
    .list<ServiceObject>('service', { namespace })
    .then((all) => all.filter(({ metadata }) => metadata.name in addresses))
}

/** Each Service with its addresses. */
async function held(): Promise<readonly string[]> {
  return (await balanced()).map(({ metadata, status }) => {
    const ips = (status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip)
    return `${metadata.name} ${ips.join()}`
  })
}

async function areSaidToBe(reason: string): Promise<void> {
  await lab.waitFor(`both Services to be ${reason}`, async () => {
    const all = await balanced()
    const conditions = all.map(({ status }) =>
      status?.conditions?.find(({ type }) => type === 'metallb.io/AddressAllocated'),
    )
    return conditions.length === 2 && conditions.every((one) => one?.reason === reason)
  })
}

async function answer(): Promise<void> {
  for (const ip of Object.values(addresses))
    await lab.waitFor(`${ip} to answer`, async () => (await lab.client.arping(ip)).length > 0, {
      timeoutMs: 60_000,
    })
}

/** From now on, each several times. */
async function allAnswer(watches: readonly ReturnType<typeof watchArp>[]): Promise<void> {
  const since = watches.map(({ answers }) => answers.length)
  await lab.waitFor('answers to go on', () =>
    watches.every(({ answers }, index) => answers.length >= (since[index] ?? 0) + 20),
  )
}

/** Every state of the Services that is seen until the stop. */
function watchAddresses(): { readonly states: ReadonlySet<string>; stop(): Promise<void> } {
  const states = new Set<string>()
  const ended = new AbortController()
  const looking = (async () => {
    while (!ended.signal.aborted) for (const one of await held()) states.add(one)
  })()
  looking.catch(() => {}) // reported by stop
  return {
    states,
    stop: async () => {
      ended.abort()
      await looking
    },
  }
}

/** What the speakers' logs tell of addresses given up, but for what moves from one node to another. */
async function withdrawals(): Promise<readonly string[]> {
  const pods = await lab.list<Pod>('pods', { namespace: system, selector: 'component=speaker' })
  return pods
    .flatMap(({ metadata }) => lab.pods.logs(system, metadata.name, 'speaker').split('\n'))
    .filter((line) => line.includes('"serviceWithdrawn"') && line.includes(`"${namespace}/`))
    .filter((line) => !line.includes('"reason":"notOwner"'))
}
