/** CIDR prefixes. Host bits in text are accepted and masked away. */
import { bitsOf, type Family, formatIP, type IP, maxValue, parseIP } from './ip.ts'

export interface Prefix {
  /** The network address: no host bits. */
  readonly ip: IP
  readonly length: number
}

export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const ip = parseIP(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (ip === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined
  const length = Number(digits)
  return length > bitsOf(ip.family) ? undefined : { ip: maskIP(ip, length), length }
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatIP(prefix.ip)}/${prefix.length}`
}

/** The prefix of that length which holds the address. */
export function prefixOf(ip: IP, length: number): Prefix {
  return { ip: maskIP(ip, length), length }
}

export function maskIP(ip: IP, length: number): IP {
  return { family: ip.family, value: ip.value & ~hostMask(ip.family, length) }
}

export function prefixContains(prefix: Prefix, ip: IP): boolean {
  return prefix.ip.family === ip.family && maskIP(ip, prefix.length).value === prefix.ip.value
}

/** The last address of the prefix. */
export function lastIP(prefix: Prefix): IP {
  return { family: prefix.ip.family, value: prefix.ip.value | hostMask(prefix.ip.family, prefix.length) }
}

function hostMask(family: Family, length: number): bigint {
  return maxValue(family) >> BigInt(length)
}
