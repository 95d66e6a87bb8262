/**
 * Live copies of everything that the configuration is made of, and the configuration made of them: of the metallb.io
 * objects, or of the ConfigMap of MetalLB up to v0.12. Says when one of them changed in a way that matters: specs and
 * labels, not statuses and heartbeats.
 */
import * as api from '@landfall/api'
import {
  type Change,
  type Cluster,
  configMapType,
  customType,
  namespaceType,
  nodeType,
  Reflector,
  type ResourceType,
  secretType,
} from '@landfall/kube'
import type { ConfigMap, Key, KubeObject } from '@landfall/kube/model'
import {
  type BuiltConfig,
  besideRefusedPools,
  buildConfig,
  configKey,
  findWarnings,
  LegacyOnDemand,
  type MetallbObjects,
  type Source,
  sourceOf,
  type Warning,
} from '@landfall/metallb'
import type { IP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import { lookAt } from './look.ts'

const poolType = customType<api.IPAddressPool>(api.ipAddressPool)
const l2Type = customType<api.L2Advertisement>(api.l2Advertisement)
const bgpType = customType<api.BGPAdvertisement>(api.bgpAdvertisement)
const peerType = customType<api.BGPPeer>(api.bgpPeer)
const bfdType = customType<api.BFDProfile>(api.bfdProfile)
const communityType = customType<api.Community>(api.community)

/** Every kind of the configuration that has a status of its own. */
export type ConfigObject =
  | api.IPAddressPool
  | api.L2Advertisement
  | api.BGPAdvertisement
  | api.BGPPeer
  | api.BFDProfile
  | api.Community

export interface ConfigurationOptions {
  readonly cluster: Cluster
  readonly namespace: string
  /** Name of the ConfigMap. */
  readonly configMap: string
  readonly logger: Logger
  readonly onChange: (changes: number) => void
  /** Gives up what `open` waits for. */
  readonly signal: AbortSignal
}

export interface Configured extends BuiltConfig {
  readonly source: Source
  /** The one that does not rule is there too. */
  readonly both: boolean
  /** What works, but should be written otherwise. */
  readonly notes: readonly string[]
  /** What is valid, but hardly meant. */
  readonly warnings: readonly Warning[]
}

/** Before anything is read. */
export const unconfigured: Configured = {
  config: { pools: [], peers: [] },
  refusals: [],
  source: 'none',
  both: false,
  notes: [],
  warnings: [],
}

export class Configuration {
  readonly #options: ConfigurationOptions
  readonly #pools
  readonly #l2
  readonly #bgp
  readonly #peers
  readonly #bfd
  readonly #communities
  readonly #nodes
  readonly #namespaces
  readonly #secrets
  readonly #configMaps
  readonly #legacy: LegacyOnDemand
  #hasObjects: boolean

  /** Objects of other namespaces are read too, so as to say that they do not count; unless the role forbids it. */
  static async open(options: ConfigurationOptions): Promise<Configuration> {
    const { cluster, namespace, logger, signal } = options
    const everywhere = await lookAt(cluster, poolType, { logger, signal })
    const scope = everywhere === 403 ? { namespace } : {}
    if (everywhere === 403)
      logger.info('ownNamespaceOnly', { namespace }, 'the role does not let other namespaces be read')
    const pools =
      everywhere === 403 ? await lookAt(cluster, poolType, { namespace, logger, signal }) : everywhere
    // Without pools, but with rights to ConfigMaps, this is a cluster of the time before the metallb.io objects.
    const hasObjects =
      pools === 200 || (await lookAt(cluster, configMapType, { namespace, logger, signal })) === 403
    return new Configuration(options, scope, hasObjects)
  }

  private constructor(
    options: ConfigurationOptions,
    scope: { readonly namespace?: string },
    hasObjects: boolean,
  ) {
    this.#options = options
    this.#hasObjects = hasObjects
    const { namespace, configMap } = options
    this.#legacy = new LegacyOnDemand({ namespace, name: configMap })
    this.#pools = this.#reflector(poolType, { ...scope, optional: !hasObjects })
    this.#l2 = this.#reflector(l2Type, { ...scope, optional: true })
    this.#bgp = this.#reflector(bgpType, { ...scope, optional: true })
    this.#peers = this.#reflector(peerType, { ...scope, optional: true })
    this.#bfd = this.#reflector(bfdType, { ...scope, optional: true })
    this.#communities = this.#reflector(communityType, { ...scope, optional: true })
    this.#nodes = this.#reflector(nodeType, { optional: true })
    this.#namespaces = this.#reflector(namespaceType, { optional: !hasObjects })
    this.#secrets = this.#reflector(secretType, { namespace, optional: true })
    const fieldSelector = `metadata.name=${configMap}`
    this.#configMaps = this.#reflector(configMapType, { namespace, fieldSelector, optional: true })
  }

  /** Resolves after the first sync of all. */
  async start(): Promise<void> {
    const all = this.#all()
    for (const reflector of all) reflector.start()
    await Promise.all(all.map((reflector) => reflector.synced))
    if (this.#configMap() !== undefined) await this.#legacy.load()
  }

  stop(): void {
    for (const reflector of this.#all()) reflector.stop()
  }

  /** @param holdings who holds which address */
  build(holdings: Iterable<readonly [Key, readonly IP[]]>): Configured {
    const configMap = this.#configMap()
    const { reader } = this.#legacy
    const objects = this.#metallbObjects()
    const built = buildConfig(objects)
    // They are known by now, whatever was there at the start.
    if (built.config.pools.length > 0) this.#hasObjects = true
    const source = sourceOf(built, reader !== undefined && (configMap !== undefined || reader.hasGood))
    if (source === 'configMap' && reader !== undefined) {
      const nodes = [...this.#nodes.items.values()]
      const legacy = besideRefusedPools(reader.build(configMap, nodes, holdings), built)
      return { ...legacy, source, both: false, warnings: [] }
    }
    reader?.forget()
    const { config, refusals } = built
    // Where there cannot be objects, what is missing is the ConfigMap: nobody took pools away.
    const incomplete = source === 'none' && !this.#hasObjects
    const both = configMap !== undefined
    return {
      config: incomplete ? { ...config, incomplete } : config,
      refusals,
      warnings: findWarnings(objects),
      source,
      both,
      notes: [],
    }
  }

  #configMap(): ConfigMap | undefined {
    return [...this.#configMaps.items.values()].find(({ data }) => configKey in data)
  }

  #metallbObjects(): MetallbObjects {
    return {
      namespace: this.#options.namespace,
      pools: [...this.#pools.items.values()],
      l2Advertisements: [...this.#l2.items.values()],
      bgpAdvertisements: [...this.#bgp.items.values()],
      peers: [...this.#peers.items.values()],
      bfdProfiles: [...this.#bfd.items.values()],
      communities: [...this.#communities.items.values()],
      nodes: [...this.#nodes.items.values()],
      namespaces: [...this.#namespaces.items.values()],
      secrets: [...this.#secrets.items.values()],
    }
  }

  /** Each object that carries a status, with its type. */
  *objects(): Iterable<{ readonly type: ResourceType; readonly object: ConfigObject }> {
    for (const object of this.#pools.items.values()) yield { type: poolType, object }
    for (const object of this.#l2.items.values()) yield { type: l2Type, object }
    for (const object of this.#bgp.items.values()) yield { type: bgpType, object }
    for (const object of this.#peers.items.values()) yield { type: peerType, object }
    for (const object of this.#bfd.items.values()) yield { type: bfdType, object }
    for (const object of this.#communities.items.values()) yield { type: communityType, object }
  }

  #all(): readonly Pick<Reflector<KubeObject>, 'start' | 'stop' | 'synced'>[] {
    const custom = [this.#pools, this.#l2, this.#bgp, this.#peers, this.#bfd, this.#communities]
    return [...custom, this.#nodes, this.#namespaces, this.#secrets, this.#configMaps]
  }

  #reflector<T extends KubeObject>(
    type: ResourceType<T>,
    where: { readonly namespace?: string; readonly fieldSelector?: string; readonly optional?: boolean },
  ): Reflector<T> {
    const { cluster, logger, onChange } = this.#options
    return new Reflector({
      cluster,
      type,
      logger,
      ...where,
      onChange: (changes) => {
        const count = changes.filter((change) => matters(type.kind, change)).length
        if (count === 0) return
        if (type.kind !== 'ConfigMap' || this.#configMap() === undefined) onChange(count)
        else void this.#legacy.load().then(() => onChange(count))
      },
    })
  }
}

function matters(kind: string, { before, after }: Change<KubeObject>): boolean {
  if (before === undefined || after === undefined) return true
  // These have no generation.
  if (kind === 'Secret' || kind === 'ConfigMap') return true
  return (
    before.meta.uid !== after.meta.uid ||
    before.meta.generation !== after.meta.generation ||
    JSON.stringify(before.meta.labels) !== JSON.stringify(after.meta.labels) ||
    // Some settings are annotations.
    ((kind === 'BGPPeer' || kind === 'BGPAdvertisement') &&
      JSON.stringify(before.meta.annotations) !== JSON.stringify(after.meta.annotations))
  )
}
