/** What the objects add to the controller's word on why a Service has no address, and what to do about it. */
import { keyOf } from '@landfall/kube/model'
import type { Condition, Observed } from '../observed.ts'
import { type About, adviceOn, editing } from './advice.ts'
import { configMapName, type LegacyFacts } from './config-map.ts'
import { rulingConfigMap } from './configuration.ts'
import { fieldText } from './place.ts'
import { type PoolFact, poolFacts } from './pools.ts'

type Lack = Pick<Condition, 'reason' | 'message'>

const poolAnnotation = 'metallb.io/ip-allocated-from-pool'
const mostHolders = 3
/** What may be so only because a ConfigMap is refused. */
const poolReasons = ['NoPools', 'PoolNotFound', 'PoolRefused', 'NoFreeAddress', 'AddressNotInPool']

/** '' for nothing. */
export function moreOnLack(observed: Observed, lack: Lack): string {
  const refused = refusedConfigMap(observed, lack)
  if (refused !== undefined) {
    const [first] = refused.refusals
    return `; ${first?.message.split('\n')[0] ?? `${keyText(refused)} is refused`}`
  }
  const { reason, message } = lack
  if (reason === 'NoPools') return missingPools(observed)
  if (reason !== 'NoFreeAddress') return ''
  const wanted = message.includes('dual-stack')
    ? '; it takes at least one IPv4 and one IPv6 address more'
    : ''
  return `${holders(observed, message)}${wanted}`
}

/** Where there is a field to change, it is named. */
export function adviceOnLack(observed: Observed, object: Pick<About, 'kind' | 'name'>, lack: Lack): string {
  const about = { ...object, places: observed.places }
  const refused = refusedConfigMap(observed, lack)
  if (refused !== undefined) return correction(refused)
  const { reason, message } = lack
  if (reason === 'NoPools' && observed.pools.gap?.why === 'notInstalled') {
    const { system } = observed.places
    const name = `${system}/${configMapName(observed)}`
    return `Write address-pools under data.config of ConfigMap ${name}: ${editing('ConfigMap', name)}`
  }
  if (reason === 'NoPools') return missingPool(observed) ?? adviceOn(reason, about)
  const [pool, ...others] = reason === 'NoFreeAddress' ? poolsIn(observed, message) : []
  if (pool === undefined || others.length > 0) return adviceOn(reason, about)
  return adviceOnFullness(pool)
}

export function adviceOnFullness({ place }: Pick<PoolFact, 'place'>): string {
  const { kind, name } = place
  return `Add addresses to ${fieldText(place, 'spec.addresses')} (${editing(kind, name)}), or delete Services of type LoadBalancer that are not needed.`
}

/** What to do about a ConfigMap with a mistake. */
export function correction({ configMap, refusals }: LegacyFacts): string {
  const { namespace, name } = configMap.meta
  const edit = editing('ConfigMap', keyOf(configMap.meta))
  const first = refusals.find(({ kind }) => kind === 'ConfigMap')
  if (first?.reason === 'DropsAddressInUse')
    return `Keep the address in address-pools of ConfigMap ${namespace}/${name} for as long as a Service has it: ${edit}`
  const at = first?.field ?? 'data.config'
  return `Correct ${at} of ConfigMap ${namespace}/${name}: ${edit}`
}

function refusedConfigMap(observed: Observed, { reason }: Lack): LegacyFacts | undefined {
  const legacy = poolReasons.includes(reason) ? rulingConfigMap(observed) : undefined
  return legacy?.usable === false ? legacy : undefined
}

function keyText({ configMap }: LegacyFacts): string {
  return `ConfigMap ${keyOf(configMap.meta)}`
}

/** Advertisements go on naming a pool that was deleted, or is spelt otherwise: pool → advertisements. */
function namedPools({ l2Advertisements, bgpAdvertisements, pools }: Observed) {
  const there = pools.items.map(({ meta }) => meta.name)
  const all = [
    ...l2Advertisements.items.map((one) => ({ kind: 'L2Advertisement', ...one })),
    ...bgpAdvertisements.items.map((one) => ({ kind: 'BGPAdvertisement', ...one })),
  ]
  const named = all.flatMap(({ kind, meta, spec }) =>
    (spec?.ipAddressPools ?? []).map((pool) => ({ pool, by: `${kind} ${meta.name}` })),
  )
  return Map.groupBy(
    named.filter(({ pool }) => !there.includes(pool)),
    ({ pool }) => pool,
  )
}

function missingPool(observed: Observed): string | undefined {
  const [first] = namedPools(observed)
  if (first === undefined) return undefined
  const [pool, all] = first
  const by = [...new Set(all.map((one) => one.by))].join(' and ')
  const namespace = observed.places.system
  const object = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { namespace, name: pool },
    spec: { addresses: ['FIRST-LAST'] },
  }
  return `Create IPAddressPool ${namespace}/${pool}, which ${by} already name${all.length === 1 ? 's' : ''}, with addresses of your own in place of FIRST-LAST: echo '${JSON.stringify(object)}' | kubectl create -f -`
}

function missingPools(observed: Observed): string {
  const missing = [...namedPools(observed).keys()].toSorted()
  return missing.length === 0
    ? ''
    : `; advertisements name ${missing.map((name) => `"${name}"`).join(', ')}, which is not there`
}

function poolsIn(observed: Observed, message: string): readonly PoolFact[] {
  const words = message.split(/[\s,()]+/)
  return poolFacts(observed).filter(({ name, pool }) => pool !== undefined && words.includes(name))
}

function holders(observed: Observed, message: string): string {
  const full = poolsIn(observed, message).map(({ name }) => name)
  const all = observed.services.items
    .filter(({ meta }) =>
      (meta.annotations[poolAnnotation] ?? '').split(',').some((from) => full.includes(from)),
    )
    .map(({ meta }) => keyOf(meta))
    .toSorted()
  if (all.length === 0) return ''
  const more = all.length > mostHolders ? [`${all.length - mostHolders} more`] : []
  return `; held by ${[...all.slice(0, mostHolders), ...more].join(', ')}`
}
