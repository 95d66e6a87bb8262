/** BGP sessions at the routers: what they outlive, and how they follow the password in a Secret. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clusterASN } from '../demo/site.ts'
import type { KubernetesObject, LabRouter, Manifest } from '../lab/index.ts'
import { routerAsn } from '../lab/routers/frr-config.ts'
import { echo, namespaceObject, scenarioLab } from './site.ts'

const lab = scenarioLab()
const namespace = 'sessions'
const system = 'metallb-system'

interface Pod extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly uid?: string }
}

describe('a session', () => {
  beforeAll(async () => {
    await lab.apply([namespaceObject(namespace), ...echo(namespace, 'tea', { replicas: 1 })])
    for (const router of lab.routers) await allUp(router)
  })

  afterAll(async () => {
    await lab.kubectl(['delete', 'namespace', namespace, '--ignore-not-found'])
    await lab.delete([pool([]), advertisement({})])
  })

  it('outlives every change of pools, Services and advertisements', async () => {
    const before = await begun()
    await lab.apply([pool(['198.19.7.0/28']), advertisement({})])
    await lab.apply([service({})])
    await routed('198.19.7.0/32')
    await lab.apply([pool(['198.19.7.0/28', '198.19.8.0/28'])])
    await lab.apply([advertisement({ communities: ['64513:7'], aggregationLength: 28 })])
    await routed('198.19.7.0/28')
    await lab.apply([service({ 'metallb.io/bgp-med': '50' })])
    await lab.apply([advertisement({})])
    await routed('198.19.7.0/32')
    await lab.delete([service({})])
    await gone('198.19.7.0/32')
    expect(before.size).toBe(2 * lab.routers.length * lab.nodes.length)
    expect(await begunSince(before)).toEqual([])
  })

  it('has a password in a Secret, and follows it when it is replaced, without a restart', async () => {
    const [router, other] = lab.routers
    if (router === undefined || other === undefined) throw new Error('a lab has two routers')
    const peers = peersOf(router)
    const pods = await speakers()
    const others = await begun([other])
    const asks = (password: string) => router.configure([`router bgp ${routerAsn}`, password])
    try {
      await asks('neighbor nodes password first')
      await lab.apply([secret('first'), ...peersOf(router, { passwordSecret: { name: namespace } })])
      await allUp(router)
      await asks('neighbor nodes password second')
      await lab.waitFor('the end of the sessions', async () => (await up(router)) === 0, {
        timeoutMs: 60_000,
      })
      await lab.apply([secret('second')])
      await allUp(router)
      expect(await speakers()).toEqual(pods)
    } finally {
      await asks('no neighbor nodes password')
      await lab.delete(peers)
      await lab.apply(peers)
      await lab.delete([secret('')])
    }
    await allUp(router)
    expect(await begunSince(others, [other])).toEqual([])
  })
})

function object(kind: string, spec: object): Manifest {
  return { apiVersion: 'metallb.io/v1beta1', kind, metadata: { namespace: system, name: namespace }, spec }
}

function pool(addresses: readonly string[]): Manifest {
  return object('IPAddressPool', { addresses, autoAssign: false })
}

function advertisement(more: object): Manifest {
  return object('BGPAdvertisement', { ipAddressPools: [namespace], ...more })
}

function service(annotations: Readonly<Record<string, string>>): Manifest {
  const asked = { 'metallb.io/loadBalancerIPs': '198.19.7.0', ...annotations }
  const metadata = { name: 'tea-out', namespace, annotations: asked }
  const spec = { type: 'LoadBalancer', selector: { app: 'tea' }, ports: [{ port: 80, targetPort: 8080 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec }
}

function secret(password: string): Manifest {
  const metadata = { namespace: system, name: namespace }
  const type = 'kubernetes.io/basic-auth'
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, stringData: { username: '', password } }
}

/** As the site has them. */
function peersOf(router: LabRouter, more: object = {}): readonly Manifest[] {
  return Object.entries({ v4: router.ipv4, v6: router.ipv6 }).map(([family, peerAddress]) => ({
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { name: `${router.name}-${family}`, namespace: system },
    spec: { myASN: clusterASN, peerASN: routerAsn, peerAddress, ...more },
  }))
}

async function up(router: LabRouter): Promise<number> {
  return (await router.bgpNeighbors()).filter(({ state }) => state === 'Established').length
}

async function allUp(router: LabRouter): Promise<void> {
  const wanted = 2 * lab.nodes.length
  await lab.waitFor(`${wanted} sessions with ${router.name}`, async () => (await up(router)) === wanted, {
    timeoutMs: 60_000,
  })
}

/** FRR counts the seconds of a session whole, and its answer may be a while on its way. */
const roundingMs = 5000

/** When each session that is up began, by router and neighbor. */
async function sessions(routers: readonly LabRouter[]): Promise<ReadonlyMap<string, number>> {
  const all = new Map<string, number>()
  for (const router of routers) {
    const neighbors = await router.bgpNeighbors()
    for (const { address, state, uptimeMs } of neighbors)
      if (state === 'Established') all.set(`${router.name} ${address}`, Date.now() - uptimeMs)
  }
  return all
}

/** The same, once each is so old that another would be seen. */
async function begun(routers: readonly LabRouter[] = lab.routers): Promise<ReadonlyMap<string, number>> {
  return await lab.waitFor('sessions that are not new', async () => {
    const all = await sessions(routers)
    return [...all.values()].every((at) => Date.now() - at > 2 * roundingMs) ? all : undefined
  })
}

/** Sessions of those that ended meanwhile, and those that are others by now. */
async function begunSince(
  before: ReadonlyMap<string, number>,
  routers: readonly LabRouter[] = lab.routers,
): Promise<readonly string[]> {
  const now = await sessions(routers)
  const isSame = (session: string) =>
    Math.abs((now.get(session) ?? 0) - (before.get(session) ?? 0)) <= roundingMs
  return [...new Set([...before.keys(), ...now.keys()])].filter((session) => !isSame(session))
}

async function routed(prefix: string): Promise<void> {
  for (const router of lab.routers)
    await lab.waitFor(
      `${prefix} on ${router.name}`,
      async () => (await router.nextHops(prefix)).length === lab.nodes.length,
    )
}

async function gone(prefix: string): Promise<void> {
  for (const router of lab.routers)
    await lab.waitFor(
      `${router.name} without ${prefix}`,
      async () => (await router.nextHops(prefix)).length === 0,
    )
}

async function speakers(): Promise<readonly string[]> {
  const pods = await lab.list<Pod>('pods', { namespace: system, selector: 'component=speaker' })
  return pods.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).toSorted()
}
