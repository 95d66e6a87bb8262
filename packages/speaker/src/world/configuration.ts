/**
 * Live copies of what the configuration is made of, and the configuration made of them: of the metallb.io objects, or
 * of the ConfigMap of MetalLB up to v0.12, by the rules that the controller follows too.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Change, configMapType, type Reflector, type ResourceType, secretType } from '@landfall/kube'
import type { ConfigMap, Key, KubeObject, Node } from '@landfall/kube/model'
import {
  besideRefusedPools,
  buildConfig,
  type Config,
  configKey,
  findWarnings,
  LegacyOnDemand,
  type MetallbObjects,
  type Refusal,
  type Source,
  sourceOf,
  type Warning,
} from '@landfall/metallb'
import { concerningNode } from '@landfall/metallb/state'
import type { IP } from '@landfall/netip'
import {
  bfdProfileType,
  bgpAdvertisementType,
  communityType,
  l2AdvertisementType,
  peerType,
  poolType,
} from './custom-types.ts'

export interface Where {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly optional?: boolean
}

export interface ConfigurationOptions {
  /** The own one: what only others use is theirs to judge. */
  readonly node: string
  readonly namespace: string
  /** Name of the ConfigMap. */
  readonly configMap: string
  /** Makes a reflector, and says that something changed when `matters` says so. */
  readonly watch: <T extends KubeObject>(
    type: ResourceType<T>,
    where: Where,
    matters: (change: Change<T>) => boolean,
  ) => Pick<Reflector<T>, 'items'>
  /** A ConfigMap that came can be read now. */
  readonly onLoad: () => void
}

export interface Configured {
  /** The same value for as long as it says the same. */
  readonly config: Config
  readonly refusals: readonly Refusal[]
  /** What is valid, but hardly meant. */
  readonly warnings: readonly Warning[]
  readonly source: Source
  /** The one that does not rule is there too. */
  readonly both: boolean
  /** What works, but should be written otherwise. */
  readonly notes: readonly string[]
}

export class Configuration {
  readonly #node: string
  readonly #namespace: string
  readonly #legacy: LegacyOnDemand
  readonly #onLoad: () => void
  readonly #pools
  readonly #l2Advertisements
  readonly #bgpAdvertisements
  readonly #peers
  readonly #bfdProfiles
  readonly #communities
  readonly #secrets
  readonly #configMaps
  #dirty = true
  #built: Configured | undefined

  constructor({ node, namespace, configMap, watch, onLoad }: ConfigurationOptions) {
    this.#node = node
    this.#namespace = namespace
    this.#legacy = new LegacyOnDemand({ namespace, name: configMap })
    this.#onLoad = onLoad
    const own = { namespace, optional: true }
    const spec = (change: Change<KubeObject>) => this.#specChanged(change)
    const any = () => this.markDirty()
    this.#pools = watch(poolType, own, spec)
    this.#l2Advertisements = watch(l2AdvertisementType, own, spec)
    this.#bgpAdvertisements = watch(bgpAdvertisementType, own, spec)
    this.#peers = watch(peerType, own, spec)
    this.#bfdProfiles = watch(bfdProfileType, own, spec)
    this.#communities = watch(communityType, own, spec)
    // Passwords of peers are of this type, and no other Secret is read.
    this.#secrets = watch(secretType, { ...own, fieldSelector: 'type=kubernetes.io/basic-auth' }, any)
    this.#configMaps = watch(configMapType, { ...own, fieldSelector: `metadata.name=${configMap}` }, () =>
      this.#configMapChanged(),
    )
  }

  /** What is there at the first sync can be read. */
  async load(): Promise<void> {
    if (this.#configMap() !== undefined) await this.#legacy.load()
  }

  /** Nodes changed, or something else that it is made of. */
  markDirty(): true {
    this.#dirty = true
    return true
  }

  /**
   * @param holdings who has which address in its status
   * @returns undefined when nothing changed since the last time
   */
  build(
    nodes: readonly Node[],
    holdings: () => Iterable<readonly [Key, readonly IP[]]>,
  ): Configured | undefined {
    // What is in use keeps a ConfigMap out, and may be free by now.
    const dropsInUse = this.#built?.refusals.some(({ reason }) => reason === 'DropsAddressInUse')
    if (!this.#dirty && dropsInUse !== true) return undefined
    this.#dirty = false
    const built = this.#read(nodes, holdings)
    if (isDeepStrictEqual(built, this.#built)) return undefined
    const known = this.#built?.config
    this.#built =
      known !== undefined && isDeepStrictEqual(built.config, known) ? { ...built, config: known } : built
    return this.#built
  }

  #read(nodes: readonly Node[], holdings: () => Iterable<readonly [Key, readonly IP[]]>): Configured {
    const configMap = this.#configMap()
    const { reader } = this.#legacy
    const objects = this.#objects(nodes)
    const built = buildConfig(objects)
    const source = sourceOf(built, reader !== undefined && (configMap !== undefined || reader.hasGood))
    if (source === 'configMap' && reader !== undefined) {
      const legacy = besideRefusedPools(reader.build(configMap, nodes, holdings()), built)
      return { ...legacy, source, warnings: [], both: false }
    }
    reader?.forget()
    const { config, refusals } = built
    const labels = nodes.find(({ meta }) => meta.name === this.#node)?.meta.labels
    return {
      config,
      refusals: concerningNode(refusals, objects, labels),
      warnings: concerningNode(findWarnings(objects), objects, labels),
      source,
      both: configMap !== undefined,
      notes: [],
    }
  }

  #configMap(): ConfigMap | undefined {
    return [...this.#configMaps.items.values()].find(({ data }) => configKey in data)
  }

  /** @returns whether it can be read already, or is gone */
  #configMapChanged(): boolean {
    this.markDirty()
    if (this.#legacy.reader !== undefined || this.#configMap() === undefined) return true
    void this.load().then(() => {
      this.markDirty()
      this.#onLoad()
    })
    return false
  }

  #objects(nodes: readonly Node[]): MetallbObjects {
    return {
      namespace: this.#namespace,
      pools: [...this.#pools.items.values()],
      l2Advertisements: [...this.#l2Advertisements.items.values()],
      bgpAdvertisements: [...this.#bgpAdvertisements.items.values()],
      peers: [...this.#peers.items.values()],
      bfdProfiles: [...this.#bfdProfiles.items.values()],
      communities: [...this.#communities.items.values()],
      nodes,
      // Only allocation reads the namespaces of pools.
      namespaces: [],
      secrets: [...this.#secrets.items.values()],
    }
  }

  #specChanged({ before, after }: Change<KubeObject>): boolean {
    if (before !== undefined && after !== undefined && isDeepStrictEqual(version(before), version(after)))
      return false
    return this.markDirty()
  }
}

function version({ meta }: KubeObject): object {
  return { uid: meta.uid, generation: meta.generation, labels: meta.labels, annotations: meta.annotations }
}
