/**
 * Which configuration rules where there may be two: metallb.io objects, and the ConfigMap of MetalLB up to v0.12.
 * Controller and speakers ask here.
 */
import type { BuiltConfig } from '../build-config.ts'

/** The key of the ConfigMap that holds the text. */
export const configKey = 'config'

export type Source = 'none' | 'objects' | 'configMap'

/**
 * Objects rule as soon as there is a usable pool among them: who still had a ConfigMap then has moved on from it. Pools
 * that are refused rule only where there is no ConfigMap, so that a first one with a mistake takes no address away.
 */
export function sourceOf({ config: { pools } }: BuiltConfig, hasConfigMap: boolean): Source {
  if (pools.some(({ refused }) => !refused)) return 'objects'
  if (hasConfigMap) return 'configMap'
  return pools.length > 0 ? 'objects' : 'none'
}

/**
 * The ConfigMap's, which rules, beside pools that are all refused: what is wrong with them is told, and addresses that
 * Services hold and the ConfigMap does not have may be theirs, and stay.
 */
export function besideRefusedPools<C extends BuiltConfig>(legacy: C, objects: BuiltConfig): C {
  if (objects.config.pools.length === 0) return legacy
  const ofPools = objects.refusals.filter(({ kind }) => kind === 'IPAddressPool')
  return {
    ...legacy,
    config: { ...legacy.config, incomplete: true },
    refusals: [...legacy.refusals, ...ofPools],
  }
}
