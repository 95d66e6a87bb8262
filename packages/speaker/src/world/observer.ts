/**
 * Live copies of all that a plan reads, put together to a World. Says, at most every 50 ms, that something changed
 * which matters: specs, labels, addresses and endpoints, not heartbeats and statuses.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Change,
  type Cluster,
  endpointSliceType,
  nodeType,
  podType,
  Reflector,
  type ReflectorOptions,
  type ResourceType,
  secretType,
  serviceType,
} from '@landfall/kube'
import type { EndpointSlice, KubeObject, Node } from '@landfall/kube/model'
import { buildConfig, type Config, type Refusal } from '@landfall/metallb'
import type { Logger } from '@landfall/telemetry'
import type { PeerAddress } from '../layer2/core/membership.ts'
import type { NodeFacts, World } from '../plan/world.ts'
import {
  bfdProfileType,
  bgpAdvertisementType,
  communityType,
  l2AdvertisementType,
  peerType,
  poolType,
} from './custom-types.ts'
import { nodeFacts, speakerAddresses } from './members.ts'
import { SliceIndex } from './slice-index.ts'

const quietMs = 5
const pauseMs = 50

export interface ObserverOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly node: string
  readonly namespace: string
  readonly loadBalancerClass: string
  readonly ignoreExcludeLabel: boolean
  /** Label selector of the speaker pods. */
  readonly speakerLabels: string
  readonly onChange: () => void
  readonly onUpdates: (count: number) => void
  readonly onRefusals: (refusals: readonly Refusal[]) => void
}

export class Observer {
  readonly #options: ObserverOptions
  readonly #slices = new SliceIndex()
  readonly #all: Pick<Reflector<KubeObject>, 'start' | 'stop' | 'synced'>[] = []
  readonly #services
  readonly #nodes
  readonly #speakers
  readonly #pools
  readonly #l2Advertisements
  readonly #bgpAdvertisements
  readonly #peers
  readonly #bfdProfiles
  readonly #communities
  readonly #secrets
  #config: Config = { pools: [], peers: [] }
  #configDirty = true
  #facts: NodeFacts = new Map()
  #timer: NodeJS.Timeout | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #synced = false

  constructor(options: ObserverOptions) {
    this.#options = options
    const { namespace } = options
    const own = { namespace, optional: true }
    this.#services = this.#reflector(serviceType, {}, () => true)
    this.#reflector(endpointSliceType, {}, (change) => this.#sliceChanged(change))
    this.#nodes = this.#reflector(nodeType, {}, (change) => this.#nodeChanged(change))
    this.#speakers = this.#reflector(podType, { ...own, labelSelector: options.speakerLabels }, () => true)
    this.#pools = this.#reflector(poolType, own, (change) => this.#configChanged(change))
    this.#l2Advertisements = this.#reflector(l2AdvertisementType, own, (change) =>
      this.#configChanged(change),
    )
    this.#bgpAdvertisements = this.#reflector(bgpAdvertisementType, own, (change) =>
      this.#configChanged(change),
    )
    this.#peers = this.#reflector(peerType, own, (change) => this.#configChanged(change))
    this.#bfdProfiles = this.#reflector(bfdProfileType, own, (change) => this.#configChanged(change))
    this.#communities = this.#reflector(communityType, own, (change) => this.#configChanged(change))
    // Passwords of peers are of this type, and no other Secret is read.
    const passwords = { ...own, fieldSelector: 'type=kubernetes.io/basic-auth' }
    this.#secrets = this.#reflector(secretType, passwords, () => this.#markConfig())
  }

  /** Resolves after the first sync of all; `onChange` follows. */
  async start(): Promise<void> {
    for (const reflector of this.#all) reflector.start()
    await Promise.all(this.#all.map((reflector) => reflector.synced))
    this.#synced = true
    this.#tell()
  }

  stop(): void {
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

  /** Where the other speakers are. */
  speakers(): readonly PeerAddress[] {
    return speakerAddresses([...this.#speakers.items.values()], [...this.#nodes.items.values()])
  }

  /** Keeps the identity of what is equal, so that only what really changed is planned anew. */
  #refresh(): void {
    const facts = nodeFacts([...this.#nodes.items.values()], this.#options.ignoreExcludeLabel)
    if (!isDeepStrictEqual(facts, this.#facts)) this.#facts = facts
    if (!this.#configDirty) return
    this.#configDirty = false
    const { config, refusals } = buildConfig({
      namespace: this.#options.namespace,
      pools: [...this.#pools.items.values()],
      l2Advertisements: [...this.#l2Advertisements.items.values()],
      bgpAdvertisements: [...this.#bgpAdvertisements.items.values()],
      peers: [...this.#peers.items.values()],
      bfdProfiles: [...this.#bfdProfiles.items.values()],
      communities: [...this.#communities.items.values()],
      nodes: [...this.#nodes.items.values()],
      // Only allocation reads the namespaces of pools.
      namespaces: [],
      secrets: [...this.#secrets.items.values()],
    })
    this.#options.onRefusals(refusals)
    if (!isDeepStrictEqual(config, this.#config)) this.#config = config
  }

  #reflector<T extends KubeObject>(
    type: ResourceType<T>,
    where: Pick<ReflectorOptions<T>, 'namespace' | 'labelSelector' | 'fieldSelector' | 'optional'>,
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
    return true
  }

  #nodeChanged({ before, after }: Change<Node>): boolean {
    if (before !== undefined && after !== undefined && isDeepStrictEqual(part(before), part(after)))
      return false
    return this.#markConfig()
  }

  #configChanged({ before, after }: Change<KubeObject>): boolean {
    if (before !== undefined && after !== undefined && isDeepStrictEqual(version(before), version(after)))
      return false
    return this.#markConfig()
  }

  #markConfig(): boolean {
    this.#configDirty = true
    return true
  }
}

/** What of a Node is read here; the rest is its heartbeat. */
function part({ meta, internalIPs, networkUnavailable }: Node): object {
  return { labels: meta.labels, internalIPs, networkUnavailable }
}

function version({ meta }: KubeObject): object {
  return { uid: meta.uid, generation: meta.generation, labels: meta.labels }
}
