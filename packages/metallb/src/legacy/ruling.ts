/**
 * Whether a ConfigMap becomes the configuration. It counts as a whole or not at all, and not if an address in use would
 * have no pool; what is refused leaves the last one that was good in force.
 */
import type { Key } from '@landfall/kube/model'
import { formatIP, type IP } from '@landfall/netip'
import type { Config } from '../config.ts'
import { mayUse, poolOf } from '../pool-of.ts'
import type { Refusal } from '../refusal.ts'
import type { LegacyBuild } from './build-legacy.ts'

export interface ConfigMapName {
  readonly namespace: string
  readonly name: string
}

export interface LegacyRuling {
  readonly accepted: boolean
  readonly refusals: readonly Refusal[]
}

/**
 * @param next undefined: the ConfigMap is gone
 * @param hasGood whether there is an earlier one to stay with
 */
export function ruleLegacy(
  next: LegacyBuild | undefined,
  hasGood: boolean,
  holdings: Iterable<readonly [Key, readonly IP[]]>,
  name: ConfigMapName,
): LegacyRuling {
  if (next === undefined) {
    return { accepted: false, refusals: [refusal(name, 'MissingField', 'the configuration is missing')] }
  }
  if (!next.usable) return { accepted: false, refusals: next.refusals }
  const dropped = hasGood ? dropsInUse(next.config, holdings, name) : []
  return { accepted: dropped.length === 0, refusals: [...next.refusals, ...dropped] }
}

function dropsInUse(
  config: Config,
  holdings: Iterable<readonly [Key, readonly IP[]]>,
  name: ConfigMapName,
): readonly Refusal[] {
  return [...holdings].flatMap(([key, ips]) =>
    ips.flatMap((ip) => {
      const pool = poolOf(config, ip)
      if (pool !== undefined && mayUse(pool, ip)) return []
      return [
        refusal(name, 'DropsAddressInUse', `${formatIP(ip)} is in use by Service ${key} and in no pool`),
      ]
    }),
  )
}

function refusal({ namespace, name }: ConfigMapName, reason: Refusal['reason'], problem: string): Refusal {
  const message = `ConfigMap ${namespace}/${name}: data.config: ${problem}`
  return { kind: 'ConfigMap', namespace, name, field: 'data.config', reason, message }
}
