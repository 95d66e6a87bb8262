/** Prefixes as they stand in UPDATE: a length in bits and as many bytes as that needs (RFC 4271 §4.3, RFC 4760 §5). */
import { bitsOf, type Family, ipFromBytes, maskIP, type Prefix } from '@landfall/netip'
import { ByteReader, type ByteWriter } from './bytes.ts'

export function nlriLength(prefix: Prefix): number {
  return 1 + Math.ceil(prefix.length / 8)
}

export function writePrefix(writer: ByteWriter, prefix: Prefix): void {
  const { ip, length } = prefix
  writer.u8(length)
  let left = Math.ceil(length / 8)
  // Word by word: byte by byte on a bigint is ten times slower, and tables have 100,000 of these.
  for (let shift = bitsOf(ip.family) - 32; left > 0; shift -= 32) {
    const word = Number((ip.value >> BigInt(shift)) & 0xffffffffn)
    for (let down = 24; down >= 0 && left > 0; down -= 8, left--) writer.u8((word >>> down) & 0xff)
  }
}

/** undefined if a length is above the family's or runs past the end. Bits behind the length are masked away. */
export function readPrefixes(bytes: Uint8Array, family: Family): readonly Prefix[] | undefined {
  const reader = new ByteReader(bytes)
  const prefixes: Prefix[] = []
  while (reader.remaining > 0) {
    const length = reader.u8()
    if (length > bitsOf(family)) return undefined
    const address = new Uint8Array(bitsOf(family) / 8)
    address.set(reader.take(Math.ceil(length / 8)))
    const ip = ipFromBytes(address)
    if (reader.overrun || ip === undefined) return undefined
    prefixes.push({ ip: maskIP(ip, length), length })
  }
  return prefixes
}
