/**
 * Which of the ConfigMap's dialects a text is in. Up to v0.4 keys that were not known were ignored, later they were
 * refused: a text is read leniently only if one of its pools is written as only those versions understood.
 */

export type Dialect =
  /** v0.2 to v0.4: `protocol: arp|ndp`, `cidr`, `arp-network`. */
  | 'lenient'
  /** v0.5 to v0.12. */
  | 'strict'

export function dialectOf(config: unknown): Dialect {
  const pools = field(config, 'address-pools')
  return Array.isArray(pools) && pools.some(isOld) ? 'lenient' : 'strict'
}

function isOld(pool: unknown): boolean {
  const protocol = field(pool, 'protocol')
  const oldKey = field(pool, 'cidr') !== undefined || field(pool, 'arp-network') !== undefined
  return protocol === 'arp' || protocol === 'ndp' || oldKey
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}
