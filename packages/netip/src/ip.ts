/**
 * IP addresses as values. Text is read strictly: decimal octets without leading zeros, no spaces, no zone, no
 * brackets. Output is RFC 5952. An IPv4-mapped IPv6 address stays IPv6.
 */

export type Family = 4 | 6

export interface IP {
  readonly family: Family
  readonly value: bigint
}

const mappedPrefix = 0xffffn

/** Bits of an address of the family: 32 or 128. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128
}

/** The highest value of the family. */
export function maxValue(family: Family): bigint {
  return (1n << BigInt(bitsOf(family))) - 1n
}

export function parseIP(text: string): IP | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text)
}

export function formatIP(ip: IP): string {
  return ip.family === 4 ? formatIPv4(ip.value) : formatIPv6(ip.value)
}

/** Every IPv4 address before every IPv6 address, then by value. */
export function compareIP(a: IP, b: IP): number {
  if (a.family !== b.family) return a.family - b.family
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
}

export function equalIP(a: IP, b: IP): boolean {
  return a.family === b.family && a.value === b.value
}

/** The IPv4 address of an IPv4-mapped IPv6 one, `::ffff:0:0/96`; any other as it is. */
export function unmapIP(ip: IP): IP {
  const isMapped = ip.family === 6 && ip.value >> 32n === mappedPrefix
  return isMapped ? { family: 4, value: ip.value & 0xffffffffn } : ip
}

/** 169.254.0.0/16 or fe80::/10. */
export function isLinkLocal(ip: IP): boolean {
  return ip.family === 4 ? ip.value >> 16n === 0xa9fen : ip.value >> 118n === 0x3fan
}

/** 4 or 16 bytes in network order. */
export function ipBytes(ip: IP): Uint8Array {
  const bytes = new Uint8Array(bitsOf(ip.family) / 8)
  let rest = ip.value
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

/** undefined unless there are 4 or 16 bytes. */
export function ipFromBytes(bytes: Uint8Array): IP | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return { family: bytes.length === 4 ? 4 : 6, value }
}

function parseIPv4(text: string): IP | undefined {
  const value = valueOfIPv4(text)
  return value === undefined ? undefined : { family: 4, value }
}

function valueOfIPv4(text: string): bigint | undefined {
  const octets = text.split('.')
  if (octets.length !== 4) return undefined
  let value = 0
  for (const octet of octets) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return undefined
    value = value * 256 + Number(octet)
  }
  return BigInt(value)
}

function parseIPv6(text: string): IP | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail]
  let value = 0n
  for (const group of groups) value = (value << 16n) | BigInt(group)
  return { family: 6, value }
}

/** The 16-bit groups of one side of `::`; a dotted quad may stand at the very end. */
function groupsOf(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = atEnd && index === parts.length - 1 ? valueOfIPv4(part) : undefined
      if (quad === undefined) return undefined
      groups.push(Number(quad >> 16n), Number(quad & 0xffffn))
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

function formatIPv4(value: bigint): string {
  const n = Number(value)
  return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
}

function formatIPv6(value: bigint): string {
  if (value >> 32n === mappedPrefix) return `::ffff:${formatIPv4(value & 0xffffffffn)}`
  const groups: number[] = []
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn))
  const zeros = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (zeros.length < 2) return hex.join(':')
  return `${hex.slice(0, zeros.start).join(':')}::${hex.slice(zeros.start + zeros.length).join(':')}`
}

/** The first of the longest runs (RFC 5952 §4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  }
  return best
}
