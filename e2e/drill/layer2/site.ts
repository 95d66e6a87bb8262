/** The lab of the layer 2 drill: speakers and controller, Services of both families, and answers pinned to nodes. */
import { join } from 'node:path'
import { externalAddresses } from '../../demo/installation.ts'
import { echo } from '../../demo/objects.ts'
import {
  createLab,
  type KubernetesObject,
  type Lab,
  type Manifest,
  openLab,
  type Progress,
} from '../../lab/index.ts'
import { epochMs, type SegmentWatch, watchSegment } from '../../segment/watch.ts'
import type { PodObject } from '../targets.ts'
import { wait } from './traffic.ts'

export const namespace = 'layer2'
export const system = 'metallb-system'
const root = join(import.meta.dirname, '..', '..', '..')

export interface Site {
  readonly lab: Lab
  readonly services: readonly Announced[]
  /** Node names by MAC address. */
  readonly macs: ReadonlyMap<string, string>
}

export interface Announced {
  readonly name: string
  readonly ipv4: string
  readonly ipv6: string
  /** The node with its only endpoint. */
  readonly backend: string
}

export interface SiteOptions {
  readonly nodes: number
  readonly heartbeat: string
  readonly lab: string | undefined
  readonly progress: Progress
  readonly audit?: boolean
  /** The first so many nodes have a speaker, by their label `drill/speaker`; all when absent. */
  readonly speakers?: number
  readonly perBackend?: number
  readonly speakerArguments?: readonly string[]
}

const backends = 3
const restMs = 3000
const restDeadlineMs = 60_000
const speakerLabel = 'drill/speaker'

/** Beyond the LAN's own addresses. */
export const manyPrefix = '198.18.0.0/21'

/** Runs the work on a lab that is made for it, and taken away, unless one is given. */
export async function onSite<T>(o: SiteOptions, work: (site: Site) => Promise<T>): Promise<T> {
  const { progress } = o
  const lab =
    o.lab === undefined
      ? await createLab({ nodes: o.nodes, audit: o.audit ?? false, progress })
      : openLab(o.lab)
  try {
    await progress.step('Landfall installed', () => install(lab, o))
    const site = await progress.step('Services have addresses', () => siteOn(lab, o.perBackend ?? 2))
    return await work(site)
  } finally {
    if (o.lab === undefined) await progress.step('lab down', () => lab.down())
  }
}

/** On a lab where Landfall runs. */
export async function siteOn(lab: Lab, perBackend: number): Promise<Site> {
  const services = await announced(lab, perBackend)
  const macs = new Map(await Promise.all(lab.nodes.map(async (n) => [await n.mac(), n.name] as const)))
  return { lab, services, macs }
}

const askMs = 25

/** The work on a site whose addresses are asked for all the while. */
export async function watched<T>(
  o: SiteOptions,
  work: (site: Site, watch: SegmentWatch) => Promise<T>,
): Promise<T> {
  return await onSite(o, (site) => whileWatched(site, (watch) => work(site, watch)))
}

export async function whileWatched<T>(site: Site, work: (watch: SegmentWatch) => Promise<T>): Promise<T> {
  const watch = await watchSegment(site.lab, { ask: addressesOf(site.services), everyMs: askMs })
  try {
    return await work(watch)
  } finally {
    await watch.stop()
  }
}

async function install(lab: Lab, o: SiteOptions): Promise<void> {
  await lab.kubectl(['apply', '-f', join(root, 'manifests', 'metallb.yaml')])
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  if (o.heartbeat !== '') await addSpeakerArgument(lab, `--heartbeat=${o.heartbeat}`)
  for (const argument of o.speakerArguments ?? []) await addSpeakerArgument(lab, argument)
  if (o.speakers !== undefined) {
    const patch = { spec: { template: { spec: { nodeSelector: { [speakerLabel]: 'yes' } } } } }
    await patchSpeakers(lab, 'merge', patch)
    await labelSpeakers(lab, firstNodes(lab, o.speakers))
  }
  await lab.apply([
    pool('lan', ['192.168.77.200-192.168.77.250', 'fd00:77::200-fd00:77::2ff'], true),
    pool('many', [manyPrefix], false),
    metallbObject('L2Advertisement', 'all', {}),
  ])
  await speakersReady(lab)
}

interface Advertisement extends KubernetesObject {
  readonly spec: { readonly nodeSelectors?: readonly object[] }
}

/** Has one node own every address; it stays so, as nothing moves that need not. */
export async function gather(site: Site, watch: SegmentWatch, node: string): Promise<void> {
  const { lab } = site
  const ips = addressesOf(site.services)
  const all = await lab.list<Advertisement>('l2advertisements', { namespace: system })
  const select = async (name: string, nodeSelectors: readonly object[] | null): Promise<void> => {
    const patch = JSON.stringify({ spec: { nodeSelectors } })
    await lab.kubectl(['patch', 'l2advertisement', name, '-n', system, '--type=merge', '-p', patch])
  }
  const only = [{ matchLabels: { 'kubernetes.io/hostname': node } }]
  for (const { metadata } of all) await select(metadata.name, only)
  try {
    await lab.waitFor(
      `${node} to own every address`,
      async () => [...(await owners(site, watch, ips)).values()].every((owner) => owner === node),
      { timeoutMs: 30_000 },
    )
  } finally {
    for (const { metadata, spec } of all) await select(metadata.name, spec.nodeSelectors ?? null)
  }
}

function pool(name: string, addresses: readonly string[], autoAssign: boolean): Manifest {
  return metallbObject('IPAddressPool', name, { addresses, autoAssign })
}

function metallbObject(kind: string, name: string, spec: object): Manifest {
  return { apiVersion: 'metallb.io/v1beta1', kind, metadata: { name, namespace: system }, spec }
}

export async function addSpeakerArgument(lab: Lab, argument: string): Promise<void> {
  const path = '/spec/template/spec/containers/0/args/-'
  await patchSpeakers(lab, 'json', [{ op: 'add', path, value: argument }])
}

export async function patchSpeakers(lab: Lab, type: 'merge' | 'json', patch: object): Promise<void> {
  const text = JSON.stringify(patch)
  await lab.kubectl(['patch', 'daemonset', 'speaker', '-n', system, `--type=${type}`, '-p', text])
}

export function firstNodes(lab: Lab, count: number): readonly string[] {
  return lab.nodes.slice(0, count).map(({ name }) => name)
}

/** Speakers on those nodes and no others. */
export async function setSpeakers(lab: Lab, nodes: readonly string[]): Promise<void> {
  await labelSpeakers(lab, nodes)
  await speakersReady(lab, nodes.length)
}

async function labelSpeakers(lab: Lab, nodes: readonly string[]): Promise<void> {
  for (const { name } of lab.nodes) {
    const label = nodes.includes(name) ? `${speakerLabel}=yes` : `${speakerLabel}-`
    await lab.kubectl(['label', 'node', name, '--overwrite', label])
  }
}

interface DaemonSet extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly generation?: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly desiredNumberScheduled?: number
    readonly updatedNumberScheduled?: number
    readonly numberReady?: number
    readonly currentNumberScheduled?: number
    readonly numberMisscheduled?: number
  }
}

/** Every speaker that should run does, with the newest template; `count` of them when that is told. */
export async function speakersReady(lab: Lab, count?: number): Promise<void> {
  const look = async () => {
    const { metadata, status } = (await lab.get<DaemonSet>('daemonset', 'speaker', system)) ?? {}
    const wanted = status?.desiredNumberScheduled ?? 0
    const pods = await speakerPods(lab)
    return (
      status?.observedGeneration === metadata?.generation &&
      (count === undefined || wanted === count) &&
      status?.updatedNumberScheduled === wanted &&
      status.numberReady === wanted &&
      pods.length === wanted
    )
  }
  await lab.waitFor('the speakers to be ready', look, { timeoutMs: 120_000 })
}

/** Each node knows where the pod behind each address is. */
export async function reachable({ lab, services }: Site): Promise<void> {
  const urls = services.flatMap(({ ipv4, ipv6 }) => [`http://${ipv4}/`, `http://[${ipv6}]/`])
  for (const { name } of lab.nodes)
    for (const url of urls) {
      const answers = async () => (await lab.node(name).curl(url, { timeoutMs: 1000 })).status === 200
      await lab.waitFor(`${url} to answer on ${name}`, answers, { timeoutMs: 120_000 })
    }
}

export async function speakerPods(lab: Lab): Promise<readonly PodObject[]> {
  return await lab.list<PodObject>('pods', { namespace: system, selector: 'component=speaker' })
}

export async function speakerOn(lab: Lab, node: string): Promise<string> {
  const pod = (await speakerPods(lab)).find(({ spec }) => spec.nodeName === node)
  if (pod === undefined) throw new Error(`no speaker is on ${node}`)
  return pod.metadata.name
}

/** `perBackend` Services for each of three nodes, whose endpoints are only there. */
async function announced(lab: Lab, perBackend: number): Promise<readonly Announced[]> {
  const dual = { type: 'LoadBalancer', ipFamilyPolicy: 'RequireDualStack' }
  const names = lab.nodes
    .slice(0, backends)
    .flatMap(({ name: backend }) =>
      Array.from({ length: perBackend }, (_, i) => ({ backend, name: `${backendName(backend)}-${i + 1}` })),
    )
  const deployments = lab.nodes.slice(0, backends).flatMap(({ name }) =>
    echo(namespace, backendName(name))
      .slice(0, 1)
      .map((object) => pinned(object, name)),
  )
  const services = names.map(({ name, backend }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ...dual, selector: { app: backendName(backend) }, ports: [{ port: 80, targetPort: 8080 }] },
  }))
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  await lab.apply([space, ...deployments, ...services])
  const all: Announced[] = []
  for (const { name, backend } of names) {
    const { ipv4, ipv6 } = await externalAddresses(lab, name, namespace)
    all.push({ name, backend, ipv4, ipv6 })
  }
  for (const { ipv4, ipv6 } of all) {
    for (const url of [`http://${ipv4}/`, `http://[${ipv6}]/`]) {
      const answered = async () => (await lab.client.curl(url, { timeoutMs: 2000 })).status === 200
      await lab.waitFor(`${url} to answer`, answered, { timeoutMs: 60_000 })
    }
  }
  return all
}

/** Of the Deployment whose pod is on that node. */
export function backendName(node: string): string {
  return `on-${node}`
}

/** The Deployment on that node alone, whatever befalls the node. */
function pinned(deployment: Manifest, node: string): Manifest {
  const object = structuredClone(deployment) as { spec: { template: { spec: object } } } & Manifest
  const { spec } = object.spec.template
  object.spec.template.spec = {
    ...spec,
    nodeSelector: { 'kubernetes.io/hostname': node },
    tolerations: [{ operator: 'Exists' }],
  }
  return object
}

/** Who answers for each address now; waits until all do. */
export async function owners(
  site: Site,
  watch: SegmentWatch,
  ips: readonly string[],
  timeoutMs = 30_000,
): Promise<ReadonlyMap<string, string>> {
  const since = epochMs()
  const asked = new Set(ips)
  const look = (): ReadonlyMap<string, string> => {
    const found = new Map<string, string>()
    for (const { ip, mac, at, kind } of watch.claims) {
      const node = site.macs.get(mac)
      if (at >= since && kind === 'answer' && node !== undefined && asked.has(ip)) found.set(ip, node)
    }
    const missing = ips.filter((ip) => !found.has(ip))
    if (missing.length > 0) throw new Error(`nobody answers for ${missing.join(', ')}`)
    return found
  }
  return await site.lab.waitFor('an owner of every address', look, { timeoutMs })
}

/** Waits until every address has an owner, and none has changed hands for a while: one planned move ends before the next. */
export async function atRest(site: Site, watch: SegmentWatch, ips: readonly string[]): Promise<void> {
  const deadline = epochMs() + restDeadlineMs
  for (let before = await owners(site, watch, ips); epochMs() < deadline; ) {
    await wait(restMs)
    const now = await owners(site, watch, ips)
    if (ips.every((ip) => now.get(ip) === before.get(ip))) return
    before = now
  }
  throw new Error(`addresses went on changing hands for ${restDeadlineMs / 1000} s`)
}

export function addressesOf(services: readonly Announced[]): readonly string[] {
  return services.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
}
