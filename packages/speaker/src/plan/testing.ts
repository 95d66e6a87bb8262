/** Worlds for tests, from objects as users write them; and a plan as text that reads well in a diff. */
import type * as api from '@landfall/api'
import type { EndpointSlice, Key, KubeObject, Meta, Node, Secret, Service } from '@landfall/kube/model'
import { buildConfig } from '@landfall/metallb'
import { formatIP, formatPrefix } from '@landfall/netip'
import type { BgpRoute } from './bgp-plan.ts'
import type { Plan } from './planner.ts'
import type { World } from './world.ts'

/** Of built-in kinds, `spec` is the projected object's fields. */
export interface Written {
  readonly kind: string
  readonly metadata: Partial<Meta> & { readonly name: string }
  readonly spec?: unknown
}

const ip = '192.168.1.240'
/** A Service with an address, advertised by layer 2 from either node; its endpoint is on n2. */
export const webOfTwoNodes: { readonly ip: string; readonly objects: readonly Written[] } = {
  ip,
  objects: [
    { kind: 'Node', metadata: { name: 'n1' } },
    { kind: 'Node', metadata: { name: 'n2' } },
    { kind: 'IPAddressPool', metadata: { name: 'pool' }, spec: { addresses: ['192.168.1.240/28'] } },
    { kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: {} },
    { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }] } },
    {
      kind: 'EndpointSlice',
      metadata: { name: 'web-1' },
      spec: {
        serviceName: 'web',
        endpoints: [{ ready: true, serving: true, terminating: false, nodeName: 'n2' }],
      },
    },
  ],
}

/** Stands for a pod there. */
export const foreignSpeaker = 'test/foreign-speaker'
const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'

export function worldOf(node: string, all: readonly Written[]): World {
  const of = <T extends KubeObject>(kind: string, defaults?: object): readonly T[] =>
    all
      .filter((object) => object.kind === kind)
      .map((object) => {
        const spec = defaults === undefined ? { spec: object.spec } : { ...defaults, ...Object(object.spec) }
        return { meta: metaOf(object), ...spec }
      })
  const nodes = of<Node>('Node', nodeDefaults)
  const { config } = buildConfig({
    namespace: 'metallb-system',
    pools: of<api.IPAddressPool>('IPAddressPool'),
    l2Advertisements: of<api.L2Advertisement>('L2Advertisement'),
    bgpAdvertisements: of<api.BGPAdvertisement>('BGPAdvertisement'),
    peers: of<api.BGPPeer>('BGPPeer'),
    bfdProfiles: of<api.BFDProfile>('BFDProfile'),
    communities: of<api.Community>('Community'),
    nodes,
    namespaces: [],
    secrets: of<Secret>('Secret', {}),
  })
  const slices = new Map<Key, EndpointSlice[]>()
  for (const slice of of<EndpointSlice>('EndpointSlice', {})) {
    const key = `default/${slice.serviceName}`
    slices.set(key, [...(slices.get(key) ?? []), slice])
  }
  return {
    node,
    loadBalancerClass: '',
    config,
    nodes: new Map(
      nodes.map(({ meta, networkUnavailable, outOfService, unschedulable }) => [
        meta.name,
        {
          networkUnavailable,
          outOfService,
          cordoned: unschedulable,
          excluded: excludeLabel in meta.labels,
          foreignSpeaker: foreignSpeaker in meta.labels,
        },
      ]),
    ),
    services: new Map(of<Service>('Service', serviceDefaults).map((s) => [`default/${s.meta.name}`, s])),
    slices,
  }
}

const nodeDefaults = {
  internalIPs: [],
  ready: true,
  networkUnavailable: false,
  unschedulable: false,
  outOfService: false,
}
const serviceDefaults = {
  type: 'LoadBalancer',
  loadBalancerClass: '',
  externalTrafficPolicy: 'Cluster',
  ingress: [],
}

function metaOf({ kind, metadata }: Written): Meta {
  const builtIn = kind === 'Service' || kind === 'EndpointSlice'
  return {
    namespace: kind === 'Node' ? '' : builtIn ? 'default' : 'metallb-system',
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

export function goldenOf(plan: Plan): string {
  const services = [...plan.services]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { layer2, bgp }]) => ({
      service: key,
      layer2: layer2.kind === 'silent' ? said(layer2) : said(layer2.notHere),
      bgp: bgp.kind === 'silent' ? said(bgp) : 'announced',
    }))
  const sorted = [...plan.layer2].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const layer2 = sorted.map(([, address]) => ({
    ...address,
    ip: formatIP(address.ip),
    candidates: address.candidates.map(({ node, weight }) => (weight === 0 ? node : `${node} by ${weight}`)),
  }))
  const peers = plan.bgp.peers.map(({ name, routes }) => ({ name, routes: [...routes].map(routeText) }))
  const retiring = plan.bgp.retiring === true ? { retiring: true } : {}
  return `${JSON.stringify({ services, layer2, peers, ...retiring }, undefined, 2)}\n`
}

function said(silence: { readonly reason: string; readonly message: string } | undefined): string {
  return silence === undefined ? 'candidate' : `${silence.reason}: ${silence.message}`
}

function routeText({ prefix, communities, ...numbers }: BgpRoute): string {
  const texts = communities.map((c) =>
    c.kind === 'standard' ? `${c.high}:${c.low}` : `large:${c.global}:${c.local1}:${c.local2}`,
  )
  return [
    formatPrefix(prefix),
    ...Object.entries(numbers).map(([name, value]) => `${name} ${value}`),
    ...texts,
  ].join(' ')
}
