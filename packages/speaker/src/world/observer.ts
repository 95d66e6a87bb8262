/**
 * Live copies of all that a plan reads, put together to a World. Says at once, and where much is to be done at most every
 * 50 ms, that something changed which matters: specs, labels, addresses and endpoints, not heartbeats and statuses.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Change,
  type Cluster,
  endpointSource,
  nodeType,
  podType,
  Reflector,
  type ResourceType,
} from '@landfall/kube'
import type { Key, KubeObject, Node, Pod } from '@landfall/kube/model'
import type { Config } from '@landfall/metallb'
import { type IP, parseIP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import type { Member, PeerAddress } from '../layer2/core/membership.ts'
import type { EndpointSlice, NodeFacts, Service, World } from '../plan/world.ts'
import { Configuration, type Configured, type Where } from './configuration.ts'
import { foreignByPods, type Marks, ownPod, unknownByPods, vouchedByHeartbeats } from './foreign-speakers.ts'
import { leanServiceType, leanSlices } from './lean-types.ts'
import { MemberlistPorts } from './memberlist-ports.ts'
import { graceSecondsOf, type NodeRules, nodeFacts, speakerAddresses } from './members.ts'
import { SliceIndex } from './slice-index.ts'

/** Nothing goes out for a Service without an address, which is soon there: what comes with it is followed with it. */
const patientMs = 50
/** Of the time, so much goes into following changes at most. */
const busyShare = 0.2
const pauseMs = 50

export interface ObserverOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly node: string
  /** The own pod; '': not known. */
  readonly podName: string
  readonly namespace: string
  /** Name of the ConfigMap of old. */
  readonly configMap: string
  readonly loadBalancerClass: string
  readonly nodeRules: NodeRules
  /** Label selector of the speaker pods. */
  readonly speakerLabels: string
  /** Of heartbeats, and of MetalLB's memberlist. */
  readonly memberPort: number
  readonly onChange: () => void
  readonly onUpdates: (count: number) => void
  /** A configuration that says something else than the one before. */
  readonly onConfig: (configured: Configured) => void
  /** Tests say another one. */
  readonly patientMs?: number
}

export class Observer {
  readonly #options: ObserverOptions
  readonly #slices = new SliceIndex()
  readonly #stopped = new AbortController()
  readonly #all: Pick<Reflector<KubeObject>, 'start' | 'stop' | 'synced'>[] = []
  readonly #services
  readonly #nodes
  readonly #speakers
  /** Where pods may not be listed, or do not tell. */
  readonly #memberPorts: MemberlistPorts
  readonly #configuration: Configuration
  #config: Config = { pools: [], peers: [] }
  #facts: NodeFacts = new Map()
  #members: readonly Member[] = []
  /** Speaker pods that were heard, by uid. */
  #vouched: ReadonlySet<string> = new Set()
  /** Nodes with a speaker of MetalLB, as they were logged. */
  #foreign: readonly string[] = []
  #timer: NodeJS.Timeout | undefined
  /** By performance.now(): when `onChange` is called. */
  #dueAt = Number.POSITIVE_INFINITY
  /** By performance.now(): not before. */
  #nextAt = Number.NEGATIVE_INFINITY
  #synced = false
  #changed = new Set<Key>()

  constructor(options: ObserverOptions) {
    this.#options = options
    const { namespace } = options
    const own = { namespace, optional: true }
    this.#services = this.#reflector(
      leanServiceType,
      {},
      ({ key }) => this.#serviceChanged(key),
      ({ before, after }) => !hasAddress(before) && !hasAddress(after),
    )
    this.#nodes = this.#reflector(nodeType, {}, (change) => this.#nodeChanged(change))
    this.#speakers = this.#reflector(podType, { ...own, labelSelector: options.speakerLabels }, () => true)
    this.#memberPorts = new MemberlistPorts({
      port: options.memberPort,
      nodes: () => this.#asked(),
      onChange: () => this.#tell(),
    })
    this.#configuration = new Configuration({
      node: options.node,
      namespace,
      configMap: options.configMap,
      watch: (type, where, matters) => this.#reflector(type, where, matters),
      onLoad: () => {
        if (this.#synced) this.#tell()
      },
    })
  }

  /** Resolves after the first sync of all; `onChange` follows. */
  async start(): Promise<void> {
    const { cluster, logger } = this.#options
    const source = await endpointSource(cluster, logger, this.#stopped.signal)
    if (source === undefined) return
    this.#reflector(
      leanSlices(source),
      {},
      (change) => this.#sliceChanged(change),
      ({ before, after }) => [before, after].every((slice) => !hasAddress(this.#serviceOf(slice))),
    )
    for (const reflector of this.#all) reflector.start()
    await Promise.all(this.#all.map((reflector) => reflector.synced))
    await Promise.all([this.#configuration.load(), this.#memberPorts.start()])
    this.#synced = true
    this.#tell()
  }

  stop(): void {
    this.#stopped.abort()
    this.#memberPorts.stop()
    clearTimeout(this.#timer)
    for (const reflector of this.#all) reflector.stop()
  }

  world(): World {
    this.#refresh()
    return {
      node: this.#options.node,
      loadBalancerClass: this.#options.loadBalancerClass,
      config: this.#config,
      nodes: this.#facts,
      services: this.#services.items,
      slices: this.#slices.byService,
    }
  }

  /** Services that changed since this was asked last, or their endpoints. */
  takeChanged(): ReadonlySet<Key> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }

  /** The own one; undefined: it is not there, or not known yet. */
  node(): Node | undefined {
    return this.#nodes.get(this.#options.node)
  }

  /** Where the other speakers are. */
  speakers(): readonly PeerAddress[] {
    return speakerAddresses(this.#pods(), [...this.#nodes.items.values()])
  }

  /** What this speaker is given to end in; undefined: it is not known. */
  graceSeconds(): number | undefined {
    return graceSecondsOf(this.#pods(), this.#options.node)
  }

  /** Keeps the identity of what is equal, so that only what really changed is planned anew. */
  #refresh(): void {
    this.#vouch()
    const foreign = this.#foreignNodes()
    this.#sayForeign([...foreign].toSorted())
    const facts = nodeFacts([...this.#nodes.items.values()], this.#options.nodeRules, foreign)
    if (!isDeepStrictEqual(facts, this.#facts)) this.#facts = facts
    const configured = this.#configuration.build([...this.#nodes.items.values()], () =>
      holdingsOf(this.#services.items, this.#options.loadBalancerClass),
    )
    if (configured === undefined) return
    this.#config = configured.config
    this.#options.onConfig(configured)
  }

  /** By their heartbeats speakers of Landfall are known, whatever their images are called. */
  heard(members: readonly Member[]): void {
    this.#members = members
    const before = this.#foreignNodes()
    this.#vouch()
    if (this.#synced && !isDeepStrictEqual(before, this.#foreignNodes())) this.#tell()
  }

  #vouch(): void {
    this.#vouched = vouchedByHeartbeats(this.#vouched, this.#pods(), this.#members)
  }

  #foreignNodes(): ReadonlySet<string> {
    // A right that is missing for a moment, as while the API server starts, takes no pod away.
    return new Set([...foreignByPods(this.#pods(), this.#marks()), ...this.#memberPorts.nodes])
  }

  #sayForeign(nodes: readonly string[]): void {
    if (isDeepStrictEqual(nodes, this.#foreign)) return
    this.#foreign = nodes
    const message =
      nodes.length === 0 ? 'none is ready any more' : 'they announce what they may, and this one does not'
    this.#options.logger.info('foreignSpeakers', { nodes }, `speakers of MetalLB: ${message}`)
  }

  /** Whose port of memberlist is asked: where pods may not be listed everybody's. */
  #asked(): readonly PeerAddress[] {
    if (this.#speakers.isAbsent) return this.speakers()
    const unknown = unknownByPods(this.#pods(), this.#marks())
    return this.speakers().filter(({ node }) => unknown.has(node))
  }

  #marks(): Marks {
    const { node, podName } = this.#options
    return { own: ownPod(this.#pods(), node, podName), vouched: this.#vouched }
  }

  #pods(): readonly Pod[] {
    return [...this.#speakers.items.values()]
  }

  #reflector<T extends KubeObject>(
    type: ResourceType<T>,
    where: Where,
    matters: (change: Change<T>) => boolean,
    waits: (change: Change<T>) => boolean = () => false,
  ): Reflector<T> {
    const { cluster, logger } = this.#options
    const onChange = (changes: readonly Change<T>[]): void => {
      this.#options.onUpdates(changes.length)
      const those = changes.filter((change) => matters(change))
      const patience = this.#options.patientMs ?? patientMs
      if (those.length > 0 && this.#synced) this.#tell(those.every(waits) ? patience : 0)
    }
    const reflector = new Reflector({ cluster, logger, type, ...where, onChange })
    this.#all.push(reflector)
    return reflector
  }

  /** Within that time; where following takes long, less often. */
  #tell(waitMs = 0): void {
    const now = performance.now()
    const at = Math.max(now + waitMs, this.#nextAt)
    if (at >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = at
    this.#timer = setTimeout(() => this.#follow(), at - now)
  }

  #follow(): void {
    this.#dueAt = Number.POSITIVE_INFINITY
    const since = performance.now()
    this.#options.onChange()
    const took = performance.now() - since
    this.#nextAt = since + Math.min(pauseMs, took / busyShare)
  }

  #sliceChanged({ before, after }: Change<EndpointSlice>): boolean {
    this.#slices.apply(before, after)
    for (const slice of [before, after]) if (slice !== undefined) this.#serviceChanged(serviceOf(slice))
    return true
  }

  #serviceOf(slice: EndpointSlice | undefined): Service | undefined {
    return slice && this.#services.get(serviceOf(slice))
  }

  #serviceChanged(key: Key): true {
    this.#changed.add(key)
    return true
  }

  #nodeChanged({ before, after }: Change<Node>): boolean {
    if (before !== undefined && after !== undefined && isDeepStrictEqual(part(before), part(after)))
      return false
    return this.#configuration.markDirty()
  }
}

function serviceOf({ meta, serviceName }: EndpointSlice): Key {
  return `${meta.namespace}/${serviceName}`
}

function hasAddress(service: Service | undefined): boolean {
  return service !== undefined && service.ingress.length > 0
}

/** What of a Node is read here; the rest is its heartbeat. */
function part({ meta, internalIPs, networkUnavailable, outOfService, unschedulable }: Node): object {
  const { labels, annotations } = meta
  return { labels, annotations, internalIPs, networkUnavailable, outOfService, unschedulable }
}

/** Who of ours has which address in its status. */
function* holdingsOf(
  services: ReadonlyMap<Key, Service>,
  loadBalancerClass: string,
): Iterable<readonly [Key, readonly IP[]]> {
  for (const [key, service] of services)
    if (service.type === 'LoadBalancer' && service.loadBalancerClass === loadBalancerClass)
      yield [key, service.ingress.flatMap(({ ip }) => (ip === undefined ? [] : (parseIP(ip) ?? [])))]
}
