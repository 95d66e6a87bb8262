/** The ConfigMap of MetalLB up to v0.12 as controller and speakers read it, by their own code; and where each part of it stands. */
import type { BGPPeer, IPAddressPool } from '@landfall/api'
import type { ConfigMap } from '@landfall/kube/model'
import { configKey, type Refusal } from '@landfall/metallb'
import { buildLegacy, type LegacyBuild, LegacyConfig, type Made, readLegacy } from '@landfall/metallb/legacy'
import type { Observed } from '../observed.ts'

type Seen = Pick<Observed, 'configMaps' | 'configurationStates' | 'pods' | 'places' | 'nodes'>

export interface LegacyFacts extends LegacyBuild {
  readonly configMap: ConfigMap
  readonly pools: readonly Made<IPAddressPool>[]
  readonly peers: readonly Made<BGPPeer>[]
}

/** How those of the system's namespace are called where they cannot be read, for there are others. */
export const systemConfigMaps = 'ConfigMap of MetalLB'

/**
 * By its text, as it is to who has seen no other before, and by what controller and speakers say of it. undefined: there
 * is none, or it may not be read.
 */
export function legacyFacts(observed: Seen): LegacyFacts | undefined {
  const configMap = configMapOf(observed)
  if (configMap === undefined || !(configKey in configMap.data)) return undefined
  const nodes = observed.nodes.items
  const { pools, peers } = readLegacy(configMap, nodes).objects
  const built = new LegacyConfig(configMap.meta).build(configMap, nodes, [])
  const told = built.refusals.map(({ message }) => message)
  const stated = statedRefusals(observed).filter(({ message }) => !told.includes(message))
  const refusals = [...built.refusals, ...stated.filter(({ reason }) => reason === 'DropsAddressInUse')]
  const usable = buildLegacy(configMap, nodes).usable && refusals.length === told.length
  return { ...built, refusals, usable, configMap, pools, peers }
}

/** What only who knows an earlier ConfigMap can say of it: controller and speakers do in their states. */
export function statedRefusals(observed: Omit<Seen, 'nodes'>): readonly Refusal[] {
  const { configurationStates, places } = observed
  const [namespace, name] = [places.system, configMapName(observed)]
  const said = configurationStates.items.flatMap(({ status }) =>
    (status?.conditions ?? [])
      .filter((one) => one.status === 'False' && one.reason === 'ConfigurationError')
      .flatMap(({ message }) => message.split('\n')),
  )
  return [...new Set(said)].flatMap((message): readonly Refusal[] => {
    const reason = reasonIn(message)
    if (reason === undefined || !message.startsWith(`ConfigMap ${namespace}/${name}: `)) return []
    return [{ kind: 'ConfigMap', namespace, name, field: `data.${configKey}`, reason, message }]
  })
}

function reasonIn(message: string): Refusal['reason'] | undefined {
  if (message.endsWith(' and in no pool')) return 'DropsAddressInUse'
  return message.endsWith(': the configuration is missing') ? 'MissingField' : undefined
}

/** The one that the controller is told of, whatever stands in it. */
export function configMapOf(observed: Pick<Seen, 'configMaps' | 'pods' | 'places'>): ConfigMap | undefined {
  const { configMaps, places } = observed
  const name = configMapName(observed)
  return configMaps.items.find(({ meta }) => meta.namespace === places.system && meta.name === name)
}

export function configMapName({ pods, places }: Pick<Observed, 'pods' | 'places'>): string {
  const controllers = pods.items.filter(
    ({ meta }) => meta.namespace === places.system && meta.labels['component'] === 'controller',
  )
  for (const { arguments: all } of controllers) {
    const index = all.findIndex((one) => /^--?config(=|$)/.test(one))
    const [, written] = /^[^=]*=(.+)$/.exec(all[index] ?? '') ?? []
    if (index >= 0) return written ?? all[index + 1] ?? ''
  }
  return 'config'
}
