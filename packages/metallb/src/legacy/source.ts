/** The key of the ConfigMap that holds the text. */
export const configKey = 'config'

/** Which configuration rules where there are both: metallb.io objects and a ConfigMap. */
export type Source = 'none' | 'objects' | 'configMap'

/**
 * Objects rule as soon as there is a pool among them: who still had a ConfigMap then has moved on from it.
 * @param pools how many IPAddressPools there are
 */
export function sourceOf(pools: number, hasConfigMap: boolean): Source {
  return pools > 0 ? 'objects' : hasConfigMap ? 'configMap' : 'none'
}
