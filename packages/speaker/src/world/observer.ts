/**
 * Live copies of all that a plan reads, put together to a World. Says, at most every 50 ms, that something changed
 * which matters: specs, labels, addresses and endpoints, not heartbeats and statuses.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Change,
  type Cluster,
  nodeType,
  podType,
  Reflector,
  type ResourceType,
  serviceType,
} from '@landfall/kube'
import type { EndpointSlice, Key, KubeObject, Node, Service } from '@landfall/kube/model'
import type { Config } from '@landfall/metallb'
import { type IP, parseIP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import type { PeerAddress } from '../layer2/core/membership.ts'
import type { NodeFacts, World } from '../plan/world.ts'
import { Configuration, type Configured, type Where } from './configuration.ts'
import { endpointSource } from './endpoint-source.ts'
import { graceSecondsOf, type NodeRules, nodeFacts, speakerAddresses } from './members.ts'
import { SliceIndex } from './slice-index.ts'

const quietMs = 5
const pauseMs = 50

export interface ObserverOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly node: string
  readonly namespace: string
  /** Name of the ConfigMap of old. */
  readonly configMap: string
  readonly loadBalancerClass: string
  readonly nodeRules: NodeRules
  /** Label selector of the speaker pods. */
  readonly speakerLabels: string
  readonly onChange: () => void
  readonly onUpdates: (count: number) => void
  /** A configuration that says something else than the one before. */
  readonly onConfig: (configured: Configured) => void
}

export class Observer {
  readonly #options: ObserverOptions
  readonly #slices = new SliceIndex()
  readonly #stopped = new AbortController()
  readonly #all: Pick<Reflector<KubeObject>, 'start' | 'stop' | 'synced'>[] = []
  readonly #services
  readonly #nodes
  readonly #speakers
  readonly #configuration: Configuration
  #config: Config = { pools: [], peers: [] }
  #facts: NodeFacts = new Map()
  #timer: NodeJS.Timeout | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #synced = false
  #changed = new Set<Key>()

  constructor(options: ObserverOptions) {
    this.#options = options
    const { namespace } = options
    const own = { namespace, optional: true }
    this.#services = this.#reflector(serviceType, {}, ({ key }) => this.#serviceChanged(key))
    this.#nodes = this.#reflector(nodeType, {}, (change) => this.#nodeChanged(change))
    this.#speakers = this.#reflector(podType, { ...own, labelSelector: options.speakerLabels }, () => true)
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
    this.#reflector(source, {}, (change) => this.#sliceChanged(change))
    for (const reflector of this.#all) reflector.start()
    await Promise.all(this.#all.map((reflector) => reflector.synced))
    await this.#configuration.load()
    this.#synced = true
    this.#tell()
  }

  stop(): void {
    this.#stopped.abort()
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
    return speakerAddresses([...this.#speakers.items.values()], [...this.#nodes.items.values()])
  }

  /** What this speaker is given to end in; undefined: it is not known. */
  graceSeconds(): number | undefined {
    return graceSecondsOf([...this.#speakers.items.values()], this.#options.node)
  }

  /** Keeps the identity of what is equal, so that only what really changed is planned anew. */
  #refresh(): void {
    const facts = nodeFacts([...this.#nodes.items.values()], this.#options.nodeRules, [
      ...this.#speakers.items.values(),
    ])
    if (!isDeepStrictEqual(facts, this.#facts)) this.#facts = facts
    const configured = this.#configuration.build([...this.#nodes.items.values()], () =>
      holdingsOf(this.#services.items, this.#options.loadBalancerClass),
    )
    if (configured === undefined) return
    this.#config = configured.config
    this.#options.onConfig(configured)
  }

  #reflector<T extends KubeObject>(
    type: ResourceType<T>,
    where: Where,
    matters: (change: Change<T>) => boolean,
  ): Reflector<T> {
    const { cluster, logger } = this.#options
    const onChange = (changes: readonly Change<T>[]): void => {
      this.#options.onUpdates(changes.length)
      const count = changes.filter((change) => matters(change)).length
      if (count > 0 && this.#synced) this.#tell()
    }
    const reflector = new Reflector({ cluster, logger, type, ...where, onChange })
    this.#all.push(reflector)
    return reflector
  }

  /** Soon after the first change, and not more often than the pause. */
  #tell(): void {
    if (this.#timer !== undefined) return
    const wait = Math.max(quietMs, this.#toldAt + pauseMs - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#toldAt = performance.now()
      this.#options.onChange()
    }, wait)
  }

  #sliceChanged({ before, after }: Change<EndpointSlice>): boolean {
    this.#slices.apply(before, after)
    for (const slice of [before, after])
      if (slice !== undefined) this.#serviceChanged(`${slice.meta.namespace}/${slice.serviceName}`)
    return true
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

/** What of a Node is read here; the rest is its heartbeat. */
function part({ meta, internalIPs, networkUnavailable, outOfService, unschedulable }: Node): object {
  return { labels: meta.labels, internalIPs, networkUnavailable, outOfService, unschedulable }
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
