/**
 * The ConfigMap → the configuration, by way of the metallb.io objects that say the same. As in its days it counts as
 * a whole or not at all; but what was taken then, and this speaker cannot honour, takes only itself out: a peer with
 * what is not supported, or with the session of another, an advertisement that gives one route two preferences. So
 * does what stands on a Node.
 */
import type { ConfigMap, KubeObject, Node } from '@landfall/kube/model'
import { type BuiltConfig, buildConfig } from '../build-config.ts'
import type { Refusal } from '../refusal.ts'
import { type Made, sourceField } from './made.ts'
import { type LegacyObjects, objectsIn, readLegacy } from './read-legacy.ts'

export interface LegacyBuild extends BuiltConfig {
  /** false: the ConfigMap is refused, and `config` is what can be read of it. */
  readonly usable: boolean
  readonly notes: readonly string[]
}

export function buildLegacy(configMap: ConfigMap, nodes: readonly Node[]): LegacyBuild {
  const { objects, refusals, nodeRefusals, notes } = readLegacy(configMap, nodes)
  const { namespace } = configMap.meta
  const built = buildConfig({
    namespace,
    pools: objectsIn(objects.pools),
    l2Advertisements: objectsIn(objects.l2),
    bgpAdvertisements: objectsIn(objects.bgp),
    peers: objectsIn(objects.peers),
    bfdProfiles: objectsIn(objects.bfdProfiles),
    communities: objectsIn(objects.communities),
    nodes,
    namespaces: [],
    secrets: [],
  })
  const origins = originsOf(objects)
  const all = [...refusals]
  const written = new Set(refusals.map(({ field }) => field))
  const isBroken = refusals.some(({ reason }) => reason === 'InvalidYAML')
  for (const refusal of isBroken ? [] : built.refusals) {
    const told = inConfigMap(refusal, origins, configMap)
    if (!all.some(({ field }) => field === told.field)) all.push(told)
  }
  const isAlone = ({ reason, field }: Refusal) =>
    reason === 'NotSupported' || isDiscovered(field) || (isOfEngine(reason) && !written.has(field))
  const usable = all.every(isAlone)
  return { config: built.config, refusals: [...all, ...nodeRefusals], usable, notes }
}

/** Rules that the ConfigMap did not know; identical entries are refused by its own. */
function isOfEngine(reason: Refusal['reason']): boolean {
  return reason === 'DuplicatePeer' || reason === 'ConflictingAdvertisement'
}

function isDiscovered(field: string): boolean {
  return field.startsWith('peer-autodiscovery of node')
}

type Origins = ReadonlyMap<string, Made<KubeObject>>

function originsOf(objects: LegacyObjects): Origins {
  const under = (kind: string, made: readonly Made<KubeObject>[]) =>
    made.map((one) => [`${kind} ${one.object.meta.name}`, one] as const)
  return new Map([
    ...under('IPAddressPool', objects.pools),
    ...under('L2Advertisement', objects.l2),
    ...under('BGPAdvertisement', objects.bgp),
    ...under('BGPPeer', objects.peers),
    ...under('BFDProfile', objects.bfdProfiles),
    ...under('Community', objects.communities),
  ])
}

/** The same refusal, told of the ConfigMap and in its words. */
function inConfigMap(refusal: Refusal, origins: Origins, { meta }: ConfigMap): Refusal {
  const made = origins.get(`${refusal.kind} ${refusal.name}`)
  const told = (field: string) => (made === undefined ? field : sourceField(made, field))
  const said = `${refusal.kind} ${refusal.namespace}/${refusal.name}: ${refusal.field}: `
  const problem = refusal.message
    .slice(said.length)
    .replaceAll(/spec\.[A-Za-z]+(\[\d+\])?/g, (field) => (made === undefined ? field : ownField(made, field)))
    .replace(/the older (pool|peer|advertisement)/, 'the other $1')
  const { namespace, name } = meta
  const field = told(refusal.field)
  const message = `ConfigMap ${namespace}/${name}: ${field}: ${problem}`
  return { kind: 'ConfigMap', namespace, name, field, reason: refusal.reason, message }
}

function ownField(made: Made<KubeObject>, field: string): string {
  return sourceField({ path: '', fields: made.fields }, field)
}
