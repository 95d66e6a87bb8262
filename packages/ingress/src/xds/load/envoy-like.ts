/**
 * A client that follows everything by delta ADS as an Envoy does: all clusters, listeners and scopes, the endpoints of
 * each cluster; it acknowledges everything, and when it comes back it says what it has. For drills. Bytes in, bytes out.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Any, anyUnpack } from '@bufbuild/protobuf/wkt'
import { ClusterSchema } from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { type ResourceType, typeUrls } from '../resource.ts'
import { typeOfUrl } from '../session/wire.ts'

const wildcards = ['clusters', 'listeners', 'scopes'] as const satisfies ResourceType[]
const followed = ['clusters', 'endpoints', 'listeners', 'scopes'] as const satisfies ResourceType[]

export interface Reaction {
  readonly replies: readonly Buffer[]
  /** What came, by type and name. */
  readonly news: readonly { readonly type: ResourceType; readonly name: string; readonly version: string }[]
}

export class EnvoyLike {
  readonly #id: string
  readonly #held = new Map<ResourceType, Map<string, string>>(followed.map((type) => [type, new Map()]))

  /** Endpoints of clusters that it was told of. */
  readonly #asked = new Set<string>()

  constructor(id: string) {
    this.#id = id
  }

  held(type: ResourceType): ReadonlyMap<string, string> {
    return this.#held.get(type) ?? new Map()
  }

  /** What a stream begins with. */
  first(): readonly Buffer[] {
    const requests = wildcards.map((type) => this.#request(type, { subscribe: [], initial: true }))
    const subscribe = [...this.#asked]
    if (subscribe.length > 0) requests.push(this.#request('endpoints', { subscribe, initial: true }))
    return requests
  }

  take(bytes: Buffer): Reaction {
    const { nonce, typeUrl, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, bytes)
    const type = typeOfUrl(typeUrl)
    const held = type && this.#held.get(type)
    if (type === undefined || held === undefined) return { replies: [], news: [] }
    for (const { name, version } of resources) held.set(name, version)
    for (const name of removedResources) held.delete(name)
    const replies = [this.#request(type, { nonce })]
    if (type === 'clusters') {
      const wanted = resources.flatMap(({ resource }) => endpointsOf(resource) ?? [])
      const fresh = wanted.filter((name) => !this.#asked.has(name))
      for (const name of fresh) this.#asked.add(name)
      if (fresh.length > 0) replies.push(this.#request('endpoints', { subscribe: fresh }))
    }
    return { replies, news: resources.map(({ name, version }) => ({ type, name, version })) }
  }

  #request(
    type: ResourceType,
    { subscribe = [], nonce = '', initial = false }: Partial<Readonly<Asked>>,
  ): Buffer {
    const version = { majorNumber: 1, minorNumber: 40, patch: 0 }
    const message = create(DeltaDiscoveryRequestSchema, {
      node: {
        id: this.#id,
        userAgentName: 'envoy',
        userAgentVersionType: { case: 'userAgentBuildVersion', value: { version } },
      },
      typeUrl: typeUrls[type],
      resourceNamesSubscribe: [...subscribe],
      responseNonce: nonce,
      initialResourceVersions: initial ? Object.fromEntries(this.held(type)) : {},
    })
    return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message))
  }
}

interface Asked {
  readonly subscribe: readonly string[]
  readonly nonce: string
  readonly initial: boolean
}

function endpointsOf(resource: Any | undefined): string | undefined {
  const cluster = resource && anyUnpack(resource, ClusterSchema)
  return cluster?.edsClusterConfig && (cluster.edsClusterConfig.serviceName || cluster.name)
}
