/** Manifests of MetalLB with nothing but `image:` changed, under exactly their roles, by ARP and by BGP, on a lab of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { clusterASN, siteObjects } from '../demo/site.ts'
import { definitions } from '../foreign/definitions.ts'
import { legacyConfig, metallb07 } from '../foreign/metallb-0-7.ts'
import { metallb016 } from '../foreign/metallb-0-16.ts'
import { namespaceAndAccounts, system } from '../foreign/objects.ts'
import { refusalsOf, refusalsSaid, requestsOf, wordsOf } from '../foreign/requests.ts'
import { grantsOf } from '../foreign/roles.ts'
import { webhooks } from '../foreign/webhooks.ts'
import { createLab, type KubernetesObject, type Lab, type Manifest } from '../lab/index.ts'
import { routerAsn } from '../lab/routers/frr-config.ts'
import { makeAuthority } from './certificate.ts'
import { broken, brokenByItself } from './invariants.ts'
import { echo, namespaceObject, nextHops } from './site.ts'

const namespace = 'shop'
const address = '192.168.77.200'
const range = '192.168.77.200-192.168.77.210'

interface Served {
  readonly http: number
  /** How many answer for it. */
  readonly macs: number
  readonly ips: readonly string[]
}

const wellServed: Served = { http: 200, macs: 1, ips: [address] }

interface State extends KubernetesObject {
  readonly status?: { readonly result?: string }
}

const configuration = [
  'bfdprofiles',
  'bgpadvertisements',
  'bgppeers',
  'communities',
  'ipaddresspools',
  'l2advertisements',
]
const reports = ['servicebgpstatuses', 'servicel2statuses']

/** Kinds of ours, and of a MetalLB that runs FRR: that may not be read is said, and nothing is written. */
const unknown = [
  'controller watch addresspools',
  'controller watch bgpsessionstatuses',
  'controller watch frrconfigurations',
  'speaker watch bgpsessionstatuses',
]

const refusedByMetallb07 = [
  ...unknown,
  'controller get configurationstates',
  'controller get leases',
  // Whether it may be read in every namespace.
  ...['ipaddresspools', ...reports].map((kind) => `controller list ${kind}`),
  ...[...configuration, ...reports, 'namespaces', 'nodes', 'secrets'].map(
    (kind) => `controller watch ${kind}`,
  ),
  ...['configurationstates', 'events', ...reports].map((kind) => `speaker create ${kind}`),
  'speaker list endpointslices',
  ...[...configuration, ...reports, 'configurationstates', 'pods', 'secrets'].map(
    (kind) => `speaker watch ${kind}`,
  ),
].toSorted()

/**
 * Of our own roles: for an event that comes again within minutes; of the two ways to take back what an owner said, by
 * itself while it lives, by its successor all at once when it does not, a trial may see only one; and no peer goes.
 */
const rare = [
  'speaker delete bgpsessionstatuses',
  'controller patch events',
  'speaker patch events',
  'speaker delete servicel2statuses',
  'speaker deletecollection servicel2statuses',
]

const refusedByMetallb016 = [
  ...unknown,
  'controller get leases',
  ...['ipaddresspools', 'servicel2statuses'].map((kind) => `controller list ${kind}`),
  ...['bgpadvertisements', 'bgppeers', 'l2advertisements'].map((kind) => `controller update ${kind}/status`),
  ...['nodes', 'servicel2statuses'].map((kind) => `controller watch ${kind}`),
  'speaker watch pods',
].toSorted()

describe('manifests of MetalLB', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await createLab({ nodes: 3, audit: true })
    await lab.apply([
      namespaceObject(namespace),
      ...echo(namespace, 'web', { replicas: 2, service: { type: 'LoadBalancer' } }),
    ])
  })

  afterAll(() => lab?.down())

  describe('v0.7.3, with a ConfigMap', () => {
    const objects = metallb07()
    let since: Date

    beforeAll(async () => {
      since = new Date()
      await lab.apply([...objects, legacyConfig(bothProtocols(lab)), routedService])
    })

    afterAll(() => lab.delete([...objects, routedService]))

    it('gives the address, announces it from one node, and traffic passes', async () =>
      expect(await served()).toEqual(wellServed))

    it('gives routers a route over every node to an address of the pool for BGP', async () =>
      expect(await routes('routed')).toEqual(everyNode()))

    it('is refused what the roles do not grant, and asks ever more seldom', async () => {
      await settled()
      const refusals = refusalsOf(lab, since)
      expect([...refusals.keys()]).toEqual(refusedByMetallb07)
      await isHarmless(refusals)
    })

    it('keeps what always holds', async () => expect(await broken(lab)).toEqual([]))
  })

  describe('v0.16, with its webhooks', () => {
    const objects = metallb016()
    let since: Date
    let crds: readonly Manifest[]

    beforeAll(async () => {
      const { pem } = await makeAuthority()
      crds = definitions(pem)
      await lab.apply([...namespaceAndAccounts({}), ...crds, ...webhooks()])
      await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
    })

    afterAll(async () => {
      await lab.delete([...objects, ...webhooks()])
      await lab.delete(crds)
    })

    it('has webhooks that let nothing through while nobody answers', async () => {
      await expect(lab.apply(pool())).rejects.toThrow(/failed calling webhook/)
    })

    it('lets pools and peers of both versions through once our controller answers', async () => {
      since = new Date()
      await lab.apply(objects)
      await lab.waitFor('the webhook to be answered', async () => {
        const { code } = await lab.tryKubectl(['apply', '-f', '-'], { input: JSON.stringify(pool()[0]) })
        return code === 0
      })
      await lab.apply([...pool(), peer('v1beta1'), ...byBGP(lab)])
      for (const version of ['v1beta1', 'v1beta2']) {
        const read = await lab.get(`bgppeers.${version}.metallb.io`, 'r1', system)
        expect(read).toMatchObject({ apiVersion: `metallb.io/${version}`, spec: peer(version)['spec'] })
      }
    })

    it('keeps the address, announces it from one node, and traffic passes', async () =>
      expect(await served()).toEqual(wellServed))

    it('gives routers a route over every node to the same address', async () =>
      expect(await routes('web')).toEqual(everyNode()))

    it('says in ConfigurationState that all is well', async () => {
      const names = ['controller', ...lab.nodes.map(({ host }) => `speaker-${host.name}`)]
      const valid = await lab.waitFor('every ConfigurationState to be Valid', async () => {
        const states = await lab.list<State>('configurationstates', { namespace: system })
        const all = states.filter(({ status }) => status?.result === 'Valid')
        return all.length === names.length && all
      })
      expect(valid.map(({ metadata }) => metadata.name)).toEqual(names)
    })

    it('is refused what the roles do not grant, and asks ever more seldom', async () => {
      await settled()
      const refusals = refusalsOf(lab, since)
      expect([...refusals.keys()]).toEqual(refusedByMetallb016)
      await isHarmless(refusals)
    })

    it('keeps what always holds', async () => expect(await broken(lab)).toEqual([]))
  })

  describe('our own', () => {
    const manifest = join(import.meta.dirname, '..', '..', 'manifests', 'metallb.yaml')
    let since: Date

    beforeAll(async () => {
      since = new Date()
      await lab.kubectl(['apply', '-f', manifest])
      await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
      await lab.apply([...restarting(siteObjects(lab)), ...other()])
    })

    it('work', async () => expect(await served()).toEqual(wellServed))

    it('give routers a route over every node', async () => expect(await routes('web')).toEqual(everyNode()))

    it('refuse nothing that is asked for, and grant nothing that is not', async () => {
      const documents = parseAllDocuments(readFileSync(manifest, 'utf8'))
      const granted = grantsOf(documents.map((document) => document.toJS()))
      expect(granted.length).toBeGreaterThan(50)
      await lab.apply(echo(namespace, 'late', { service: { type: 'LoadBalancer' } }))
      await lab.kubectl(['delete', 'service', 'web', '-n', namespace])
      // Taken back by who wrote it, as long as that lives.
      await lab.waitFor('the report of web to be gone', async () => {
        const reports = await lab.list<Report>('servicel2status', { namespace: system })
        return reports.every(({ status }) => status?.serviceName !== 'web')
      })
      const stopped = await ownerOf('late')
      // One that is killed may be back before it is missed; one that stands still is not.
      lab.pods.kill(system, stopped, 'speaker', 'SIGSTOP')
      const another = await lab.waitFor('another owner', async () => {
        const owner = await ownerOf('late')
        return owner !== stopped && owner
      })
      lab.pods.kill(system, stopped, 'speaker', 'SIGKILL')
      await lab.kubectl(['delete', 'pod', another, '-n', system])
      const unused = () => {
        const used = new Set(requestsOf(lab, since).map(wordsOf))
        // A watch that lists takes the place of a list, where the API server has it.
        return granted.filter((words) => !used.has(words) && !used.has(words.replace(' list ', ' watch ')))
      }
      await lab
        .waitFor('every right to be used', () => unused().every((words) => rare.includes(words)))
        .catch(() => 'said below, one by one')
      expect(unused().filter((words) => !rare.includes(words))).toEqual([])
      expect([...refusalsOf(lab, since).keys()]).toEqual([])
    })

    it('keep what always holds', async () => expect(await brokenByItself(lab)).toEqual([]))
  })

  async function served(): Promise<Served> {
    const answer = await lab.waitFor(
      `${address} to answer`,
      () => lab.client.curl(`http://${address}/`).catch(() => undefined),
      { timeoutMs: 60_000 },
    )
    // The client may have known the way from before.
    await lab.waitFor('an answer to ARP', async () => (await lab.client.arping(address)).length > 0)
    const macs = new Set(await lab.client.arping(address, { count: 3 }))
    return { http: answer.status, macs: macs.size, ips: await addressesOf('web') }
  }

  async function addressesOf(name: string): Promise<readonly string[]> {
    const service = await lab.get<ServiceObject>('service', name, namespace)
    return (service?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '')
  }

  /** The next hops that each router has to the Service's address, when there are as many as nodes. */
  async function routes(name: string): Promise<readonly (readonly string[])[]> {
    const look = async () => {
      const [ip] = await addressesOf(name)
      return await Promise.all(lab.routers.map((router) => nextHops(router, `${ip}/32`)))
    }
    const whole = async () => (await look()).every(({ length }) => length === lab.nodes.length)
    await lab.waitFor(`routes to ${name}`, whole, { timeoutMs: 60_000 }).catch(() => 'said below')
    return await look()
  }

  function everyNode(): readonly (readonly string[])[] {
    const nodes = lab.nodes.map(({ ipv4 }) => ipv4).toSorted()
    return lab.routers.map(() => nodes)
  }

  /** The speaker that says it announces the Service. */
  async function ownerOf(service: string): Promise<string> {
    return await lab.waitFor(`an owner of ${service}`, async () => {
      const reports = await lab.list<Report>('servicel2status', { namespace: system })
      const [report] = reports.filter(({ status }) => status?.serviceName === service)
      const pods = await lab.list<PodObject>('pods', { namespace: system, selector: 'component=speaker' })
      return pods.find(({ spec }) => spec.nodeName === report?.status?.node)?.metadata.name
    })
  }

  /** What is refused for good is refused by then, and what is granted is in use. */
  async function settled(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 6000))
  }

  /** Each at most a few times, each said at most once by a pod, and no container ended. */
  async function isHarmless(refusals: ReadonlyMap<string, number>): Promise<void> {
    for (const [words, times] of refusals) expect([words, times < 9]).toEqual([words, true])
    const pods = await lab.list<PodObject>('pods', { namespace: system })
    expect(pods).toHaveLength(4)
    const allSaid = new Set<string>()
    for (const { metadata, status } of pods) {
      expect(status?.containerStatuses).toMatchObject([{ restartCount: 0 }])
      const program = metadata.name.split('-')[0] ?? ''
      const said = refusalsSaid(lab.pods.logs(system, metadata.name, program))
      expect(said).toEqual([...new Set(said)])
      for (const words of said) allSaid.add(`${program} ${words.split(' ')[1]}`)
    }
    // Whether pools may be read in every namespace is said in other words.
    const refused = [...refusals.keys()]
      .filter((words) => words !== 'controller list ipaddresspools')
      .map((words) => words.replace(/ \w+ /, ' '))
    expect([...allSaid].toSorted()).toEqual([...new Set(refused)].toSorted())
  }
})

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

interface Report extends KubernetesObject {
  readonly status?: { readonly node?: string; readonly serviceName?: string }
}

interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
  readonly status?: { readonly containerStatuses?: readonly { readonly restartCount: number }[] }
}

/** From the pool for BGP. */
const routedService: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'routed', namespace, annotations: { 'metallb.universe.tf/address-pool': 'routed' } },
  spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
}

/** A ConfigMap's pool has one protocol. */
function bothProtocols(lab: Lab): string {
  const peers = lab.routers.map(
    ({ ipv4 }) => `- peer-address: ${ipv4}\n  peer-asn: ${routerAsn}\n  my-asn: ${clusterASN}\n`,
  )
  return `peers:
${peers.join('')}address-pools:
- name: default
  protocol: layer2
  addresses: [${range}]
- name: routed
  protocol: bgp
  addresses: [198.51.100.0/28]
`
}

/** The site's peers, and its advertisement to them. */
function byBGP(lab: Lab): readonly Manifest[] {
  return siteObjects(lab).filter(({ kind }) => kind === 'BGPPeer' || kind === 'BGPAdvertisement')
}

function pool(): readonly Manifest[] {
  const metadata = { name: 'default', namespace: system }
  return [
    { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec: { addresses: [range] } },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata, spec: {} },
  ]
}

/** With peers that are asked to bridge the restart of a speaker. */
function restarting(objects: readonly Manifest[]): readonly Manifest[] {
  return objects.map((one) =>
    one['kind'] === 'BGPPeer'
      ? { ...one, spec: { ...fields(one['spec']), enableGracefulRestart: true } }
      : one,
  )
}

function fields(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

/** The kinds that the site does without. */
function other(): readonly Manifest[] {
  const metadata = { name: 'unused', namespace: system }
  return [
    { apiVersion: 'metallb.io/v1beta1', kind: 'BFDProfile', metadata, spec: {} },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'Community',
      metadata,
      spec: { communities: [{ name: 'a', value: '64513:1' }] },
    },
  ]
}

function peer(version: string): Manifest {
  return {
    apiVersion: `metallb.io/${version}`,
    kind: 'BGPPeer',
    metadata: { name: 'r1', namespace: system },
    spec: { myASN: clusterASN, peerASN: routerAsn, peerAddress: '192.0.2.1', holdTime: '9s' },
  }
}
