/**
 * Live copies of everything that the configuration is made of, and the configuration made of them. Says when one of
 * them changed in a way that matters: specs and labels, not statuses and heartbeats.
 */
import * as api from '@landfall/api'
import {
  type Change,
  type Cluster,
  customType,
  hasStatus,
  namespaceType,
  nodeType,
  pathOf,
  Reflector,
  type ResourceType,
  secretType,
} from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import { type BuiltConfig, buildConfig } from '@landfall/metallb'
import type { Logger } from '@landfall/telemetry'

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
  readonly logger: Logger
  readonly onChange: (changes: number) => void
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

  /** Objects of other namespaces are read too, so as to say that they do not count; unless the role forbids it. */
  static async open(options: ConfigurationOptions): Promise<Configuration> {
    const everywhere = await options.cluster
      .request({ method: 'GET', path: pathOf(poolType), query: { limit: 1 } })
      .then(() => true)
      .catch((error: unknown) => !hasStatus(error, 403))
    return new Configuration(options, everywhere)
  }

  private constructor(options: ConfigurationOptions, everywhere: boolean) {
    this.#options = options
    const scope = everywhere ? {} : { namespace: options.namespace }
    this.#pools = this.#reflector(poolType, scope)
    this.#l2 = this.#reflector(l2Type, { ...scope, optional: true })
    this.#bgp = this.#reflector(bgpType, { ...scope, optional: true })
    this.#peers = this.#reflector(peerType, { ...scope, optional: true })
    this.#bfd = this.#reflector(bfdType, { ...scope, optional: true })
    this.#communities = this.#reflector(communityType, { ...scope, optional: true })
    this.#nodes = this.#reflector(nodeType, { optional: true })
    this.#namespaces = this.#reflector(namespaceType, {})
    this.#secrets = this.#reflector(secretType, { namespace: options.namespace, optional: true })
  }

  /** Resolves after the first sync of all. */
  async start(): Promise<void> {
    const all = this.#all()
    for (const reflector of all) reflector.start()
    await Promise.all(all.map((reflector) => reflector.synced))
  }

  stop(): void {
    for (const reflector of this.#all()) reflector.stop()
  }

  build(): BuiltConfig {
    return buildConfig({
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
    })
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
    return [...custom, this.#nodes, this.#namespaces, this.#secrets]
  }

  #reflector<T extends KubeObject>(
    type: ResourceType<T>,
    where: { readonly namespace?: string; readonly optional?: boolean },
  ): Reflector<T> {
    const { cluster, logger, onChange } = this.#options
    return new Reflector({
      cluster,
      type,
      logger,
      ...where,
      onChange: (changes) => {
        const count = changes.filter((change) => matters(type.kind, change)).length
        if (count > 0) onChange(count)
      },
    })
  }
}

function matters(kind: string, { before, after }: Change<KubeObject>): boolean {
  if (before === undefined || after === undefined || kind === 'Secret') return true
  return (
    before.meta.uid !== after.meta.uid ||
    before.meta.generation !== after.meta.generation ||
    JSON.stringify(before.meta.labels) !== JSON.stringify(after.meta.labels)
  )
}
