/**
 * The lab of the BGP drill: speakers with both routers as peers over IPv4 and over IPv6, and Services of both families with
 * their only endpoint on the last node.
 */
import { join } from 'node:path'
import { echo } from '../../demo/objects.ts'
import { clusterASN } from '../../demo/site.ts'
import {
  createLab,
  type KubernetesObject,
  type Lab,
  type LabRouter,
  type Manifest,
  openLab,
} from '../../lab/index.ts'
import { routerAsn } from '../../lab/routers/frr-config.ts'
import { speakersReady, system } from '../layer2/site.ts'
import type { PartOptions } from './part.ts'
import type { Pace } from './routers.ts'

const namespace = 'bgp'
const root = join(import.meta.dirname, '..', '..', '..')
const services = 10
const tcpSyn = 'tcp flags & (fin | syn | rst | ack) == syn'

export type Family = 'ipv4' | 'ipv6'

export interface Site {
  readonly lab: Lab
  /** Of both families, each a route of its own. */
  readonly addresses: readonly string[]
  /** Those that are asked. */
  readonly asked: Readonly<Record<Family, string>>
  /** Nodes that may fall: no endpoint is there. */
  readonly victims: readonly string[]
}

/** Runs the work on a lab that is made for it, and taken away, unless one is given. */
export async function onSite(o: PartOptions, work: (site: Site) => Promise<void>): Promise<void> {
  const { progress } = o
  const lab = o.lab === undefined ? await createLab({ nodes: 3, progress }) : openLab(o.lab)
  try {
    const site = await progress.step('Landfall and Services', () => install(lab))
    await work(site)
  } finally {
    if (o.lab === undefined) await progress.step('lab down', () => lab.down())
  }
}

async function install(lab: Lab): Promise<Site> {
  await lab.kubectl(['apply', '-f', join(root, 'manifests', 'metallb.yaml')])
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  await lab.apply([
    metallbObject('IPAddressPool', 'pool', { addresses: ['198.18.0.0/24', '2001:db8:18::/120'] }),
    metallbObject('BGPAdvertisement', 'all', {}),
    ...peersOf(lab),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  ])
  const last = lab.nodes.at(-1)?.name ?? ''
  const [deployment] = echo(namespace, 'echo')
  if (deployment !== undefined) await lab.apply([pinned(deployment, last)])
  await lab.apply(Array.from({ length: services }, (_, i) => service(`echo-${i + 1}`)))
  await speakersReady(lab)
  const addresses = await lab.waitFor('addresses', () => addressesOf(lab), { timeoutMs: 60_000 })
  const [ipv4 = '', ipv6 = ''] = [false, true].map((wanted) => addresses.find((ip) => isV6(ip) === wanted))
  for (const url of [`http://${ipv4}/`, `http://[${ipv6}]/`])
    await lab.waitFor(
      `${url} to answer by way of the routers`,
      async () => (await lab.client2.curl(url, { timeoutMs: 2000 })).status === 200,
      { timeoutMs: 60_000 },
    )
  const victims = lab.nodes.map(({ name }) => name).filter((name) => name !== last)
  return { lab, addresses, asked: { ipv4, ipv6 }, victims }
}

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

async function addressesOf(lab: Lab): Promise<Site['addresses'] | undefined> {
  const all = await lab.list<ServiceObject>('services', { namespace })
  const ips = all.flatMap(({ status }) => (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []))
  return ips.length === 2 * services ? ips : undefined
}

/** BFD at that pace with both routers; resolves when it is up with every node. */
export async function setPace(
  { lab }: Site,
  { intervalMs, multiplier }: Pace,
  more: object = {},
): Promise<void> {
  for (const router of lab.routers)
    await router.configure([
      'bfd',
      'profile drill',
      `detect-multiplier ${multiplier}`,
      `receive-interval ${intervalMs}`,
      `transmit-interval ${intervalMs}`,
      'exit',
      'exit',
      `router bgp ${routerAsn}`,
      'neighbor nodes bfd',
      'neighbor nodes bfd profile drill',
    ])
  const intervals = {
    receiveInterval: intervalMs,
    transmitInterval: intervalMs,
    detectMultiplier: multiplier,
  }
  await lab.apply([
    metallbObject('BFDProfile', 'drill', intervals),
    ...peersOf(lab, { bfdProfile: 'drill', ...more }),
  ])
  await bfdUp(lab)
}

/** As `setPace`; and the routers keep a node's routes while its speaker is away, though BFD goes too (RFC 5882 §4.3). */
export async function keepOverRestarts(site: Site, pace: Pace): Promise<void> {
  const { lab } = site
  const own = ['bgp graceful-restart', 'neighbor nodes bfd', 'neighbor nodes bfd check-control-plane-failure']
  for (const router of lab.routers) await router.configure([`router bgp ${routerAsn}`, ...own])
  // What a peer agrees to cannot be changed while it is there.
  await lab.delete(peersOf(lab))
  await setPace(site, pace, { enableGracefulRestart: true })
}

export async function bfdUp(lab: Lab): Promise<void> {
  const up = async (router: LabRouter) =>
    (await router.bfdPeers()).filter(({ status }) => status === 'up').length
  const all = async () => {
    for (const router of lab.routers) if ((await up(router)) < 2 * lab.nodes.length) return false
    return true
  }
  await lab.waitFor('BFD between all nodes and both routers', all, { timeoutMs: 60_000 })
}

/** Every router has every address by way of every node. */
export async function carriesAll(
  { lab, addresses }: Site,
  routers: readonly LabRouter[] = lab.routers,
): Promise<void> {
  const whole = async (router: LabRouter) => {
    const hops = new Map((await router.routes()).map(({ prefix, nextHops }) => [prefix, nextHops.length]))
    return addresses.every((address) => hops.get(prefixOf(address)) === lab.nodes.length)
  }
  for (const router of routers)
    await lab.waitFor(`every route by way of every node on ${router.name}`, () => whole(router), {
      timeoutMs: 60_000,
    })
}

/** Counts from now on the connections to the address that come to each node. */
export async function countFlows({ lab }: Site, address: string): Promise<void> {
  const rules = `
table inet drill
delete table inet drill
table inet drill {
  chain flows {
    type filter hook prerouting priority -350;
    ${isV6(address) ? 'ip6' : 'ip'} daddr ${address} ${tcpSyn} counter
  }
}`
  for (const node of lab.nodes) await node.run(['nft', '-f', '-'], { input: rules })
}

/** By node, since they are counted. */
export async function flows({ lab }: Site): Promise<ReadonlyMap<string, number>> {
  const counts = lab.nodes.map(async (node) => {
    const text = await node.run(['nft', 'list', 'table', 'inet', 'drill'])
    return [node.name, Number(/counter packets (\d+)/.exec(text)?.[1] ?? 0)] as const
  })
  return new Map(await Promise.all(counts))
}

function metallbObject(kind: string, name: string, spec: object, version = 'v1beta1'): Manifest {
  return { apiVersion: `metallb.io/${version}`, kind, metadata: { name, namespace: system }, spec }
}

/** Each router over either family. */
function peersOf(lab: Lab, more: object = {}): readonly Manifest[] {
  const peer = (name: string, peerAddress: string) => {
    const spec = { myASN: clusterASN, peerASN: routerAsn, peerAddress, ...more }
    return metallbObject('BGPPeer', name, spec, 'v1beta2')
  }
  return lab.routers.flatMap(({ name, ipv4, ipv6 }) => [peer(name, ipv4), peer(`${name}-v6`, ipv6)])
}

function isV6(address: string): boolean {
  return address.includes(':')
}

function prefixOf(address: string): string {
  return `${address}/${isV6(address) ? 128 : 32}`
}

function service(name: string): Manifest {
  const families = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] }
  const ports = [{ port: 80, targetPort: 8080 }]
  const spec = { type: 'LoadBalancer', selector: { app: 'echo' }, ports, ...families }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec }
}

/** The Deployment on that node alone. */
function pinned(deployment: Manifest, node: string): Manifest {
  const object = structuredClone(deployment) as { spec: { template: { spec: object } } } & Manifest
  const { spec } = object.spec.template
  object.spec.template.spec = { ...spec, nodeSelector: { 'kubernetes.io/hostname': node } }
  return object
}
