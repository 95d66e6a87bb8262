/**
 * The metallb.io objects that say the same as a ConfigMap, as MetalLB's own converter names them, ready to be
 * written; and a note for everything that a reader should know before applying them.
 */
import * as api from '@landfall/api'
import type { ConfigMap, KubeObject, Node } from '@landfall/kube/model'
import type { Refusal } from '../refusal.ts'
import { buildLegacy } from './build-legacy.ts'
import { type Made } from './made.ts'
import { readLegacy } from './read-legacy.ts'

export interface Migration {
  /** In the order of application; [] when the ConfigMap is refused. */
  readonly objects: readonly object[]
  readonly notes: readonly string[]
  readonly refusals: readonly Refusal[]
}

const highestPort = 16384
const highestPreference = 0x7fffffff

export function migrate(configMap: ConfigMap, nodes: readonly Node[]): Migration {
  const { usable, refusals } = buildLegacy(configMap, nodes)
  if (!usable) return { objects: [], notes: [], refusals }
  const { objects, notes: read, discovers } = readLegacy(configMap, nodes)
  const notes = [...read]
  const pools = normalise('pool', objects.pools, notes)
  const profiles = normalise('BFD profile', objects.bfdProfiles, notes)
  noteUse(pools, notes)
  if (discovers)
    notes.push('peers found on Nodes become BGPPeers as the Nodes are now; later changes do not follow')
  noteLimits(objects, notes)
  const bound = <T extends { readonly ipAddressPools?: readonly string[] }>(spec: T | undefined) => ({
    ...spec,
    ipAddressPools: (spec?.ipAddressPools ?? []).map((name) => pools.get(name) ?? name),
  })
  const peers = objects.peers.map(({ object }) => {
    const { bfdProfile, ...spec } = object.spec
    const profile = bfdProfile === undefined ? {} : { bfdProfile: profiles.get(bfdProfile) ?? bfdProfile }
    return write(api.bgpPeer, object, { ...spec, ...profile })
  })
  return {
    objects: [
      ...objects.pools.map(({ object }) => write(api.ipAddressPool, object, object.spec, pools)),
      ...objects.communities.map(({ object }) => write(api.community, object, object.spec)),
      ...objects.bfdProfiles.map(({ object }) => write(api.bfdProfile, object, object.spec, profiles)),
      ...peers,
      ...objects.l2.map(({ object }) => write(api.l2Advertisement, object, bound(object.spec))),
      ...objects.bgp.map(({ object }) => write(api.bgpAdvertisement, object, bound(object.spec))),
    ],
    notes,
    refusals,
  }
}

function write(
  { group, version, kind }: api.ResourceIdentity,
  { meta }: KubeObject,
  spec: object | undefined,
  names: ReadonlyMap<string, string> = new Map(),
): object {
  const metadata = { name: names.get(meta.name) ?? meta.name, namespace: meta.namespace }
  return { apiVersion: `${group}/${version}`, kind, metadata, spec: spec ?? {} }
}

/** The names that objects may have, by the names in the ConfigMap. */
function normalise(
  what: string,
  made: readonly Made<KubeObject>[],
  notes: string[],
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const { object } of made) {
    const base = objectName(object.meta.name) || 'unnamed'
    let name = base
    for (let index = 2; taken.has(name); index++) name = `${base.slice(0, 60)}-${index}`
    taken.add(name)
    names.set(object.meta.name, name)
    if (name !== object.meta.name) notes.push(`${what} ${JSON.stringify(object.meta.name)} is named ${name}`)
  }
  return names
}

/** As MetalLB's converter makes it, and then without what no name of an object may hold. */
function objectName(name: string): string {
  return name
    .slice(0, 63)
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z]+/, '')
    .replace(/[^a-z0-9]+$/, '')
}

function noteUse(pools: ReadonlyMap<string, string>, notes: string[]): void {
  for (const [old, name] of pools) {
    if (old === name) continue
    const annotation = `metallb.universe.tf/address-pool: ${old}`
    notes.push(`Services that have the annotation ${annotation} must ask for ${name}`)
  }
}

function noteLimits(objects: ReturnType<typeof readLegacy>['objects'], notes: string[]): void {
  for (const { object, path } of objects.peers) {
    const { peerPort = 0 } = object.spec
    if (peerPort > highestPort)
      notes.push(`${path}: a BGPPeer takes no port above ${highestPort}: ${peerPort}`)
  }
  for (const { object, path } of objects.bgp) {
    const { localPref = 0 } = object.spec ?? {}
    if (localPref <= highestPreference) continue
    notes.push(`${path}: a BGPAdvertisement takes no localPref above ${highestPreference}: ${localPref}`)
  }
}
