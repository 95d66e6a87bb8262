/** Addresses, prefixes and ranges for property tests; the caller brings fast-check. */
import type * as fastCheck from 'fast-check'
import { type IP, maxValue } from './ip.ts'
import { prefixOf } from './prefix.ts'
import type { Range } from './range.ts'

export function arbitraries(fc: typeof fastCheck) {
  const ips = fc.oneof(
    fc.bigInt(0n, maxValue(4)).map((value): IP => ({ family: 4, value })),
    fc.bigInt(0n, maxValue(6)).map((value): IP => ({ family: 6, value })),
    // Addresses with long runs of zeros, where the short form of IPv6 is decided.
    fc
      .array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.reduce<bigint>((sum, group) => (sum << 16n) | group, 0n))
      .map((value): IP => ({ family: 6, value })),
  )
  const prefixes = ips.chain((ip) =>
    fc.integer({ min: 0, max: ip.family === 4 ? 32 : 128 }).map((length) => prefixOf(ip, length)),
  )
  const ranges = fc.tuple(ips, fc.bigInt(0n, 5000n)).map(([first, more]): Range => {
    const end = first.value + more
    const largest = maxValue(first.family)
    return { first, last: { family: first.family, value: end > largest ? largest : end } }
  })
  return { ips, prefixes, ranges }
}
