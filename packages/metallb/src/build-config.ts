/**
 * The objects as observed → the configuration, and a refusal for each thing in them that is wrong. A pure
 * function of the objects: no order of arrival, no earlier state. What is wrong takes out the object that it is
 * in, or, where two fit only not together, keeps the younger one away from the other.
 */
import type * as api from '@landfall/api'
import {
  byAge,
  type Key,
  type KubeObject,
  keyOf,
  type Namespace,
  type Node,
  type Secret,
} from '@landfall/kube/model'
import { appliesTo, readBGPAdvertisement, readL2Advertisement } from './advertisements.ts'
import { attachBGP } from './attach-bgp.ts'
import { readAliases } from './communities.ts'
import type { Config, ForPools } from './config.ts'
import { readPeers } from './peers.ts'
import { readPools } from './pools.ts'
import { problemsOf, type Refusal } from './refusal.ts'

export interface MetallbObjects {
  /** The namespace that the objects must be in. */
  readonly namespace: string
  readonly pools: readonly api.IPAddressPool[]
  readonly l2Advertisements: readonly api.L2Advertisement[]
  readonly bgpAdvertisements: readonly api.BGPAdvertisement[]
  readonly peers: readonly api.BGPPeer[]
  readonly bfdProfiles: readonly api.BFDProfile[]
  readonly communities: readonly api.Community[]
  readonly nodes: readonly Node[]
  readonly namespaces: readonly Namespace[]
  /** Those that hold passwords of peers. */
  readonly secrets: readonly Secret[]
}

export interface BuiltConfig {
  readonly config: Config
  /** In the order of kind, namespace, name and field. */
  readonly refusals: readonly Refusal[]
}

export function buildConfig(objects: MetallbObjects): BuiltConfig {
  const refusals: Refusal[] = []
  const own = <T extends KubeObject>(kind: string, all: readonly T[]): readonly T[] => {
    for (const stranger of all.filter((object) => object.meta.namespace !== objects.namespace)) {
      const problems = problemsOf(kind, stranger)
      problems.report('metadata.namespace', 'WrongNamespace', `it must be in ${objects.namespace}`)
      refusals.push(...problems.found)
    }
    return all.filter((object) => object.meta.namespace === objects.namespace).toSorted(byAge)
  }

  const communities = readAliases(own('Community', objects.communities))
  const pools = readPools(own('IPAddressPool', objects.pools), objects.namespaces)
  const peers = readPeers(own('BGPPeer', objects.peers), {
    nodes: objects.nodes,
    secrets: byKey(objects.secrets),
    bfdProfiles: own('BFDProfile', objects.bfdProfiles),
  })
  const l2 = own('L2Advertisement', objects.l2Advertisements).map((object) =>
    readL2Advertisement(object, objects.nodes),
  )
  const bgp = own('BGPAdvertisement', objects.bgpAdvertisements).map((object) => ({
    object,
    ...readBGPAdvertisement(object, objects.nodes, communities.aliases),
  }))
  refusals.push(...communities.refusals, ...pools.refusals, ...peers.refusals)
  for (const advertisement of [...l2, ...bgp]) refusals.push(...advertisement.refusals)

  const advertisements = { l2: applied(l2), bgp: applied(bgp) }
  const attached = pools.pools.map(({ labels, ...pool }) => {
    const forPool = attachBGP({ labels, ...pool }, bgp)
    refusals.push(...forPool.refusals)
    const announced = advertisements.l2
      .filter((each) => appliesTo(each, { labels, ...pool }))
      .map(({ advertisement }) => advertisement)
      .toSorted(byName)
    return { ...pool, l2: announced, bgp: forPool.advertisements.toSorted(byName) }
  })
  const { aliases } = communities
  const config = {
    pools: attached.toSorted(byName),
    peers: peers.peers.toSorted(byName),
    advertisements,
    ...(aliases.size === 0 ? {} : { communities: aliases }),
  }
  return { config, refusals: refusals.toSorted(inOrder) }
}

function applied<A>(all: readonly { readonly applied: ForPools<A> | undefined }[]): readonly ForPools<A>[] {
  return all.flatMap(({ applied }) => (applied === undefined ? [] : [applied]))
}

function byKey(secrets: readonly Secret[]): ReadonlyMap<Key, Secret> {
  return new Map(secrets.map((secret) => [keyOf(secret.meta), secret]))
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function inOrder(a: Refusal, b: Refusal): number {
  const text = (refusal: Refusal) =>
    [refusal.kind, refusal.namespace, refusal.name, refusal.field, refusal.message].join('\0')
  return text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0
}
