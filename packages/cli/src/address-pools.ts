/**
 * AddressPool objects, which MetalLB v0.13 took beside IPAddressPools: what a ConfigMap's `address-pools` said, in
 * objects. So they are read as such a ConfigMap.
 */
import {
  ApiError,
  type Cluster,
  configMapType,
  projectMeta,
  type RawObject,
  type ResourceType,
} from '@landfall/kube'
import type { ConfigMap } from '@landfall/kube/model'
import { configKey } from '@landfall/metallb'
import { stringify } from 'yaml'

export const addressPoolKind = 'AddressPool'

const addressPoolType: ResourceType = {
  apiVersion: 'metallb.io/v1beta1',
  kind: addressPoolKind,
  plural: 'addresspools',
  namespaced: true,
  project: (raw) => ({ meta: projectMeta(raw) }),
}

/** The ConfigMap's words for the fields of `spec` and of `spec.bgpAdvertisements[]`; others are its own. */
const words: Readonly<Record<string, string>> = {
  autoAssign: 'auto-assign',
  avoidBuggyIPs: 'avoid-buggy-ips',
  bgpAdvertisements: 'bgp-advertisements',
  aggregationLength: 'aggregation-length',
  aggregationLengthV6: 'aggregation-length-v6',
  localPref: 'localpref',
}

/** [] where there is no such kind. */
export async function readAddressPools(cluster: Cluster, namespace: string): Promise<readonly RawObject[]> {
  try {
    return (await cluster.list(addressPoolType, { namespace })).items
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return []
    throw error
  }
}

/** @param pools at least one */
export function asConfigMap(pools: readonly RawObject[], namespace: string): ConfigMap {
  const sections = pools.map((pool) => ({ name: pool.metadata.name, ...fieldsOf(pool['spec']) }))
  const metadata = { namespace: pools[0]?.metadata.namespace ?? namespace, name: 'address-pools' }
  return configMapType.project({ metadata, data: { [configKey]: stringify({ 'address-pools': sections }) } })
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [words[key] ?? key, inWords(field)]))
}

function inWords(field: unknown): unknown {
  if (!Array.isArray(field)) return field
  return field.map((one: unknown) => (typeof one === 'object' && one !== null ? fieldsOf(one) : one))
}
