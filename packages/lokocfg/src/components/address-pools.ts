/**
 * `address_pools` → the ConfigMap `config`, in the format that MetalLB had up to v0.12. Peers are found on the Nodes, as in
 * the builds of MetalLB that Lokomotive shipped. What the load balancer would refuse is refused here.
 */
import type { Manifest } from '@landfall/manifests'
import { configKey } from '@landfall/metallb'
import { buildLegacy } from '@landfall/metallb/legacy'
import { parsePrefix, parseRange } from '@landfall/netip'
import { stringify } from 'yaml'
import { type BlockReader, type Decoder, type Located, listOf, mapOf, text } from '../evaluation/reader.ts'
import type { Place } from '../problem.ts'
import { fieldsOf } from './placement.ts'

type Pools = ReadonlyMap<string, readonly Located<string>[]>

export const configName = 'config'

/** The labels of Nodes that Lokomotive's workers have. */
const peerParameters = [
  'my-asn',
  'peer-asn',
  'peer-address',
  'peer-port',
  'hold-time',
  'router-id',
  'password',
]

const label = (name: string) => [name, `metallb.universe.tf/${name}`] as const

/** undefined when the attribute is not given: then the ConfigMap is the user's own. */
export function addressPools(block: BlockReader | undefined, namespace: string): Manifest | undefined {
  const given = block?.read('address_pools', mapOf(poolAddresses))
  if (block === undefined || given === undefined) return undefined
  const before = block.problems.found.length
  const pools: Pools = new Map([...given.value].map(([name, { value }]) => [name, value]))
  for (const [name, addresses] of pools) checkAddresses(block, name, addresses)
  const manifest = configMap(pools, namespace)
  if (block.problems.found.length === before) checkWhole(block, manifest, pools, given.at)
  return manifest
}

const poolAddresses: Decoder<Located<readonly Located<string>[]>> = (value, path, problems) => {
  const addresses = listOf(text)(value, path, problems)
  return addresses && { value: addresses, at: value.at }
}

function checkAddresses(block: BlockReader, pool: string, addresses: readonly Located<string>[]): void {
  for (const { value, at } of addresses) {
    if (parsePrefix(value) !== undefined || parseRange(value) !== undefined) continue
    const placeholder = /[a-z]\.[a-z]|\/[a-z]$/i.test(value) && !value.includes(':')
    const advice = placeholder ? '; replace the placeholder by addresses of your own, as "192.0.2.0/28"' : ''
    const message = `address_pools: pool "${pool}": "${value}" is no CIDR and no range of addresses${advice}`
    block.refuse('InvalidAddress', message, at)
  }
}

/** By the code that reads it in the cluster: ranges that overlap, names, families. */
function checkWhole(block: BlockReader, manifest: Manifest, pools: Pools, whole: Place): void {
  const data = fieldsOf(manifest['data'])
  const { name, namespace = '' } = manifest.metadata
  const { refusals } = buildLegacy(
    { meta: { ...emptyMeta, name, namespace }, data: { [configKey]: String(data[configKey]) } },
    [],
  )
  for (const { field, message } of refusals) {
    const [, pool, entry] = /^address-pools\[(\d+)\](?:\.addresses\[(\d+)\])?/.exec(field) ?? []
    const [poolName, addresses = []] = sorted(pools)[Number(pool)] ?? []
    const at = addresses[Number(entry)]?.at ?? whole
    const told = message.slice(message.indexOf(`${field}: `) + field.length + 2)
    block.refuse('InvalidValue', `address_pools: pool "${poolName ?? ''}": ${told}`, at)
  }
}

const emptyMeta = {
  uid: '',
  resourceVersion: '',
  generation: 0,
  creationTimestamp: '',
  labels: {},
  annotations: {},
  deleting: false,
}

function sorted(pools: Pools): readonly (readonly [string, readonly Located<string>[]])[] {
  return [...pools].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function configMap(pools: Pools, namespace: string): Manifest {
  const config = {
    'peer-autodiscovery': { 'from-labels': [Object.fromEntries(peerParameters.map(label))] },
    'address-pools': sorted(pools).map(([name, addresses]) => ({
      name,
      protocol: 'bgp',
      addresses: addresses.map(({ value }) => value),
    })),
  }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configName, namespace, labels: { app: 'metallb' } },
    data: { [configKey]: stringify(config, { lineWidth: 0 }) },
  }
}
