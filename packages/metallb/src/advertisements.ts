/** L2Advertisement and BGPAdvertisement objects → what each says, and which pools it applies to. */
import type * as api from '@landfall/api'
import type { Node } from '@landfall/kube/model'
import { annotationField, readFlag } from './annotations.ts'
import { type Aliases, formatCommunity, parseCommunity } from './communities.ts'
import type { BGPAdvertisement, BGPCommunity, ForPools, L2Advertisement } from './config.ts'
import type { BarePool } from './pools.ts'
import { type Problems, problemsOf, type Refusal, reportDuplicates } from './refusal.ts'
import { matchesSelector, reportSelectors, selectNames } from './selectors.ts'

/** `metallb.io/weight-by-endpoints: "true"` on a BGPAdvertisement. */
export const weightedAnnotation = 'metallb.io/weight-by-endpoints'

/** What an attribute of the short form holds, which is all that some routers read. */
const mostCommunities = 63

type PoolChoice = Pick<api.L2AdvertisementSpec, 'ipAddressPools' | 'ipAddressPoolSelectors'>

/** undefined: refused. */
export function readL2Advertisement(
  object: api.L2Advertisement,
  nodes: readonly Node[],
): { applied: ForPools<L2Advertisement> | undefined; refusals: readonly Refusal[] } {
  const problems = problemsOf('L2Advertisement', object)
  const spec = object.spec ?? {}
  const { interfaces = [], nodeSelectors = [], serviceSelectors = [] } = spec
  reportShared(problems, spec)
  const advertisement = {
    name: object.meta.name,
    interfaces: [...new Set(interfaces)],
    nodes: selectNames(nodeSelectors, nodes),
    weights: readWeights(spec, nodes, problems),
    serviceSelectors,
  }
  return outcome(problems, { advertisement, ...poolChoice(spec) })
}

function readWeights(
  { preferredNodeSelectors: preferences = [] }: api.L2AdvertisementSpec,
  nodes: readonly Node[],
  problems: Problems,
): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const [index, { weight, preference }] of preferences.entries()) {
    const field = `spec.preferredNodeSelectors[${index}]`
    if (!(Number.isInteger(weight) && weight >= 1 && weight <= 100))
      problems.report(`${field}.weight`, 'InvalidValue', `${weight} is not between 1 and 100`)
    reportSelectors(problems, `${field}.preference`, [preference])
    for (const name of selectNames([preference], nodes)) weights.set(name, (weights.get(name) ?? 0) + weight)
  }
  return weights
}

/** undefined: refused. */
export function readBGPAdvertisement(
  object: api.BGPAdvertisement,
  nodes: readonly Node[],
  aliases: Aliases,
): { applied: ForPools<BGPAdvertisement> | undefined; refusals: readonly Refusal[] } {
  const problems = problemsOf('BGPAdvertisement', object)
  const spec = object.spec ?? {}
  const { nodeSelectors = [], serviceSelectors = [], peers = [], localPref = 0 } = spec
  const { aggregationLength = 32, aggregationLengthV6 = 128 } = spec
  reportShared(problems, spec)
  reportDuplicates(problems, 'spec.peers', peers)
  if (aggregationLength < 1 || aggregationLength > 32) {
    problems.report('spec.aggregationLength', 'InvalidValue', `${aggregationLength} is not between 1 and 32`)
  }
  if (aggregationLengthV6 < 1 || aggregationLengthV6 > 128) {
    problems.report(
      'spec.aggregationLengthV6',
      'InvalidValue',
      `${aggregationLengthV6} is not between 1 and 128`,
    )
  }
  if (serviceSelectors.length > 0 && (aggregationLength !== 32 || aggregationLengthV6 !== 128)) {
    problems.report(
      'spec.serviceSelectors',
      'ConflictingFields',
      'they need aggregation lengths of 32 and 128',
    )
  }
  const weighted = readFlag(object.meta, weightedAnnotation, problems)
  if (weighted && (aggregationLength !== 32 || aggregationLengthV6 !== 128)) {
    problems.report(
      annotationField(weightedAnnotation),
      'ConflictingFields',
      'it needs aggregation lengths of 32 and 128',
    )
  }
  const advertisement = {
    name: object.meta.name,
    aggregationLength,
    aggregationLengthV6,
    localPref,
    communities: readCommunities(spec.communities ?? [], aliases, problems),
    peers,
    nodes: selectNames(nodeSelectors, nodes),
    weighted,
    serviceSelectors,
  }
  return outcome(problems, { advertisement, ...poolChoice(spec) })
}

function reportShared(problems: Problems, spec: api.L2AdvertisementSpec | api.BGPAdvertisementSpec): void {
  reportDuplicates(problems, 'spec.ipAddressPools', spec.ipAddressPools ?? [])
  reportSelectors(problems, 'spec.ipAddressPoolSelectors', spec.ipAddressPoolSelectors ?? [])
  reportSelectors(problems, 'spec.nodeSelectors', spec.nodeSelectors ?? [])
  reportSelectors(problems, 'spec.serviceSelectors', spec.serviceSelectors ?? [])
}

function poolChoice({ ipAddressPools: pools = [], ipAddressPoolSelectors: poolSelectors = [] }: PoolChoice) {
  return { pools, poolSelectors }
}

/** All pools when none is named or selected; unknown names are nobody's. */
export function appliesTo(
  { pools, poolSelectors }: ForPools<L2Advertisement | BGPAdvertisement>,
  { name, labels }: Pick<BarePool, 'name' | 'labels'>,
): boolean {
  return (
    (pools.length === 0 && poolSelectors.length === 0) ||
    pools.includes(name) ||
    poolSelectors.some((selector) => matchesSelector(selector, labels))
  )
}

function readCommunities(
  written: readonly string[],
  aliases: Aliases,
  problems: Problems,
): readonly BGPCommunity[] {
  const communities = new Map<string, BGPCommunity>()
  reportDuplicates(problems, 'spec.communities', written)
  for (const [index, text] of written.entries()) {
    const community = aliases.get(text) ?? parseCommunity(text)
    if (community === undefined) {
      const problem = `${JSON.stringify(text)} is neither a community nor an alias that a Community object defines`
      problems.report(`spec.communities[${index}]`, 'UnknownCommunity', problem)
    } else communities.set(formatCommunity(community), community)
  }
  if (communities.size > mostCommunities) {
    problems.report('spec.communities', 'InvalidValue', `more than ${mostCommunities} communities`)
  }
  return [...communities.values()]
}

function outcome<Advertisement>(problems: Problems, applied: ForPools<Advertisement>) {
  return { applied: problems.found.length > 0 ? undefined : applied, refusals: problems.found }
}
