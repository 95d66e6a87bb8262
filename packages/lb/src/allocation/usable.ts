/** Which addresses a pool gives out of those that it has (`avoidBuggyIPs` leaves out .0 and .255), counted, not walked. */
import type { Pool } from '@landfall/metallb'
import type { Family, IP, Range } from '@landfall/netip'

/** How many of the range. */
export function usableIn(pool: Pool, { first, last }: Range): bigint {
  const end = { family: last.family, value: last.value + 1n }
  return usableBelow(pool, end) - usableBelow(pool, first)
}

/** How many from 0 up to the address, without it. */
export function usableBelow(pool: Pool, { family, value }: IP): bigint {
  if (!pool.avoidBuggyIPs || family === 6) return value
  return value - (value + 255n) / 256n - value / 256n
}

/** The address that has so many below it. */
export function usableAt(pool: Pool, family: Family, count: bigint): IP {
  if (!pool.avoidBuggyIPs || family === 6) return { family, value: count }
  return { family, value: (count / 254n) * 256n + (count % 254n) + 1n }
}
