/**
 * The ConfigMap of MetalLB up to v0.12 (data key `config`) → the metallb.io objects that say the same. Only its form
 * is judged here; what the objects mean together is judged where all configurations are (`buildLegacy`).
 */
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  IPAddressPool,
  L2Advertisement,
} from '@landfall/api'
import type { ConfigMap, KubeObject, Node } from '@landfall/kube/model'
import { problemsOf, type Refusal } from '../refusal.ts'
import { discoverPeers, firstAutodiscovery, readAutodiscovery } from './autodiscovery.ts'
import { readProfiles, reportUnknownProfiles } from './bfd-profiles.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import { type Made, metaOf } from './made.ts'
import { parseConfig } from './parse.ts'
import { readPeers } from './peers.ts'
import { readPools } from './pools.ts'
import { readSection, type Section } from './section.ts'
import { configKey } from './source.ts'

export interface LegacyObjects {
  readonly pools: readonly Made<IPAddressPool>[]
  readonly l2: readonly Made<L2Advertisement>[]
  readonly bgp: readonly Made<BGPAdvertisement>[]
  readonly peers: readonly Made<BGPPeer>[]
  readonly bfdProfiles: readonly Made<BFDProfile>[]
  readonly communities: readonly Made<Community>[]
}

export interface LegacyRead {
  readonly dialect: Dialect
  readonly objects: LegacyObjects
  /** What is wrong with the text; the whole of it is refused. */
  readonly refusals: readonly Refusal[]
  /** Parameters on Nodes that make no peer; nothing else is refused for them. */
  readonly nodeRefusals: readonly Refusal[]
  /** What works, but should be written otherwise. */
  readonly notes: readonly string[]
  /** Peers come from the Node objects too. */
  readonly discovers: boolean
}

export function readLegacy(configMap: ConfigMap, nodes: readonly Node[]): LegacyRead {
  const problems = problemsOf('ConfigMap', configMap)
  const text = configMap.data[configKey]
  if (text === undefined) problems.report(`data.${configKey}`, 'MissingField', 'the configuration is missing')
  const config = parseConfig(text ?? '', problems)
  const dialect = dialectOf(config)
  // What is left of broken YAML is read as far as it goes; what else is wrong with it says nothing.
  const further = problems.found.length > 0 ? problemsOf('ConfigMap', configMap) : problems
  const whole = readSection(config, '', further, dialect === 'strict')
  const from = configMap.meta
  const pools = readPools(whole.sections('address-pools'), dialect, from)
  const written = readPeers(whole.sections('peers'), from)
  const bfdProfiles = readProfiles(whole.sections('bfd-profiles'), from)
  reportUnknownProfiles(written, bfdProfiles, whole)
  const section = whole.section('peer-autodiscovery')
  const autodiscovery =
    section !== undefined ? readAutodiscovery(section) : written.length === 0 ? firstAutodiscovery : undefined
  const found = autodiscovery && discoverPeers(autodiscovery, nodes, written, from)
  const communities = readCommunities(whole, dialect, from)
  whole.finish()
  const peers = [...written, ...(found?.peers ?? [])]
  return {
    dialect,
    objects: { ...pools, peers, bfdProfiles, communities },
    refusals: problems.found,
    nodeRefusals: found?.refusals ?? [],
    notes: dialect === 'lenient' ? [deprecation] : [],
    discovers: section !== undefined || (found !== undefined && found.peers.length > 0),
  }
}

const deprecation =
  'protocol arp and ndp, cidr and arp-network are of MetalLB v0.4 and older: write protocol layer2 and addresses'

/** All aliases become one object. */
function readCommunities(
  whole: Section,
  dialect: Dialect,
  from: ConfigMap['meta'],
): readonly Made<Community>[] {
  const keys = dialect === 'lenient' ? ['bgp-communities', 'communities'] : ['bgp-communities']
  const aliases = keys.flatMap((key) =>
    Object.entries(whole.map(key)).map(([name, value]) => ({ key, name, value })),
  )
  if (aliases.length === 0) return []
  const fields = aliases.flatMap(({ key, name }, index) =>
    ['name', 'value'].map((field) => [`spec.communities[${index}].${field}`, `${key}.${name}`] as const),
  )
  const communities = aliases.map(({ name, value }) => ({ name, value }))
  const object = { meta: metaOf('communities', from), spec: { communities } }
  return [{ object, path: '', fields: Object.fromEntries(fields) }]
}

export function objectsIn<T extends KubeObject>(made: readonly Made<T>[]): readonly T[] {
  return made.map(({ object }) => object)
}
