/** Inclusive address ranges, as pools write them: `first-last` (spaces allowed around the dash) or a CIDR. */
import { bitsOf, formatIP, type IP, parseIP } from './ip.ts'
import { lastIP, type Prefix, parsePrefix } from './prefix.ts'

/** Both ends belong to it, are of one family, and first ≤ last. */
export interface Range {
  readonly first: IP
  readonly last: IP
}

export function parseRange(text: string): Range | undefined {
  const dash = text.indexOf('-')
  if (dash < 0) {
    const prefix = parsePrefix(text)
    return prefix === undefined ? undefined : rangeOfPrefix(prefix)
  }
  const first = parseIP(text.slice(0, dash).replace(/ +$/, ''))
  const last = parseIP(text.slice(dash + 1).replace(/^ +/, ''))
  if (first === undefined || last === undefined || first.family !== last.family) return undefined
  return first.value > last.value ? undefined : { first, last }
}

export function rangeOfPrefix(prefix: Prefix): Range {
  return { first: prefix.ip, last: lastIP(prefix) }
}

export function formatRange(range: Range): string {
  return `${formatIP(range.first)}-${formatIP(range.last)}`
}

export function rangeContains(range: Range, ip: IP): boolean {
  return range.first.family === ip.family && range.first.value <= ip.value && ip.value <= range.last.value
}

export function rangeSize(range: Range): bigint {
  return range.last.value - range.first.value + 1n
}

/** Whether the two ranges have an address in common. */
export function overlap(a: Range, b: Range): boolean {
  return a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value
}

/** The fewest prefixes that cover exactly the range, ascending. */
export function rangeToPrefixes(range: Range): readonly Prefix[] {
  const family = range.first.family
  const prefixes: Prefix[] = []
  let next = range.first.value
  while (next <= range.last.value) {
    let hostBits = 0
    while (hostBits < bitsOf(family)) {
      const size = 1n << BigInt(hostBits + 1)
      if (next % size !== 0n || next + size - 1n > range.last.value) break
      hostBits++
    }
    prefixes.push({ ip: { family, value: next }, length: bitsOf(family) - hostBits })
    next += 1n << BigInt(hostBits)
  }
  return prefixes
}
