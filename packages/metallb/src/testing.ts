/** Objects for tests: as users write them → as `buildConfig` takes them; and its result as text. */
import type * as api from '@landfall/api'
import type { KubeObject, Meta, Namespace, Node, Secret } from '@landfall/kube/model'
import { formatIP, formatRange } from '@landfall/netip'
import type { BuiltConfig, MetallbObjects } from './build-config.ts'
import { formatCommunity } from './communities.ts'
import type { Pool } from './config.ts'
import { formatSource } from './peer-ends.ts'

export interface Written {
  readonly kind: string
  readonly metadata: Partial<Meta> & { readonly name: string }
  readonly spec?: unknown
  readonly type?: string
  readonly stringData?: Readonly<Record<string, string>>
}

export function objectsOf(all: readonly Written[]): MetallbObjects {
  const of = <T extends KubeObject>(kind: string, more: (object: Written) => object): readonly T[] =>
    all
      .filter((object) => object.kind === kind)
      .map((object) => ({ meta: metaOf(object), ...more(object) }) as T)
  const spec = (object: Written) => (object.spec === undefined ? {} : { spec: object.spec })
  const bytes = (object: Written) =>
    Object.entries(object.stringData ?? {}).map(([key, text]) => [key, new TextEncoder().encode(text)])
  return {
    namespace: 'metallb-system',
    pools: of<api.IPAddressPool>('IPAddressPool', spec),
    l2Advertisements: of<api.L2Advertisement>('L2Advertisement', spec),
    bgpAdvertisements: of<api.BGPAdvertisement>('BGPAdvertisement', spec),
    peers: of<api.BGPPeer>('BGPPeer', spec),
    bfdProfiles: of<api.BFDProfile>('BFDProfile', spec),
    communities: of<api.Community>('Community', spec),
    nodes: of<Node>('Node', () => ({
      internalIPs: [],
      ready: true,
      networkUnavailable: false,
      unschedulable: false,
      outOfService: false,
    })),
    namespaces: of<Namespace>('Namespace', () => ({})),
    secrets: of<Secret>('Secret', (object) => ({
      type: object.type,
      data: Object.fromEntries(bytes(object)),
    })),
  }
}

function metaOf({ kind, metadata }: Written): Meta {
  const clusterScoped = kind === 'Node' || kind === 'Namespace'
  return {
    namespace: clusterScoped ? '' : 'metallb-system',
    uid: `uid-${metadata.name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    deleting: false,
    ...metadata,
  }
}

/** The configuration as text that reads well in a diff. */
export function goldenOf({ config, refusals }: BuiltConfig): string {
  const pool = (from: Pool) => ({ ...from, ranges: from.ranges.map(formatRange) })
  const peers = config.peers.map((peer) => ({
    ...peer,
    address: peer.address && formatIP(peer.address),
    sourceAddress: formatSource(peer.sourceAddress),
    routerID: peer.routerID && formatIP(peer.routerID),
  }))
  const said = refusals.map(({ reason, message }) => `${reason}: ${message}`)
  return `${JSON.stringify({ refusals: said, pools: config.pools.map(pool), peers }, plain, 2)}\n`
}

function plain(key: string, value: unknown): unknown {
  if (value instanceof Set) return [...value]
  if (key === 'communities' && Array.isArray(value)) return value.map(formatCommunity)
  return value
}
