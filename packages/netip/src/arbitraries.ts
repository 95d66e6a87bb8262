/** fast-check sources of addresses, for the property tests of this package. */
import fc from 'fast-check'
import { type IP, maxValue } from './ip.ts'
import { type Prefix, prefixOf } from './prefix.ts'
import type { Range } from './range.ts'

export const ips: fc.Arbitrary<IP> = fc.oneof(
  fc.bigInt(0n, maxValue(4)).map((value): IP => ({ family: 4, value })),
  fc.bigInt(0n, maxValue(6)).map((value): IP => ({ family: 6, value })),
  // Addresses with long runs of zeros, where the short form of IPv6 is decided.
  fc
    .array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
    .map(
      (groups): IP => ({ family: 6, value: groups.reduce<bigint>((sum, group) => (sum << 16n) | group, 0n) }),
    ),
)

export const prefixes: fc.Arbitrary<Prefix> = ips.chain((ip) =>
  fc.integer({ min: 0, max: ip.family === 4 ? 32 : 128 }).map((length) => prefixOf(ip, length)),
)

export const ranges: fc.Arbitrary<Range> = ips.chain((first) =>
  fc
    .bigInt(0n, 5000n)
    .map((more) =>
      first.value + more > maxValue(first.family) ? maxValue(first.family) : first.value + more,
    )
    .map((value): Range => ({ first, last: { family: first.family, value } })),
)
