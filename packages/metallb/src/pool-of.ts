/** Which pool an address belongs to, and whether that gives it out. */
import { type IP, rangeContains } from '@landfall/netip'
import type { Config, Pool } from './config.ts'

/** The pool that holds the address; a refused one only when no other does. */
export function poolOf(config: Config, ip: IP): Pool | undefined {
  let refused: Pool | undefined
  for (const pool of config.pools) {
    if (!pool.ranges.some((range) => rangeContains(range, ip))) continue
    if (!pool.refused) return pool
    refused ??= pool
  }
  return refused
}

/** IPv4 addresses that some devices drop, if the pool leaves them out. */
export function mayUse(pool: Pool, ip: IP): boolean {
  if (!pool.avoidBuggyIPs || ip.family === 6) return true
  const octet = ip.value & 255n
  return octet !== 0n && octet !== 255n
}
