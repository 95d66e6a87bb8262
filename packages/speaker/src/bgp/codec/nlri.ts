/** Prefixes as they stand in UPDATE: a length in bits and as many bytes as that needs (RFC 4271 §4.3, RFC 4760 §5). */
import { bitsOf, type Family, ipBytes, ipFromBytes, maskIP, type Prefix } from '@landfall/netip'
import { ByteReader, type ByteWriter } from './bytes.ts'

export function nlriLength(prefix: Prefix): number {
  return 1 + Math.ceil(prefix.length / 8)
}

export function writePrefix(writer: ByteWriter, prefix: Prefix): void {
  writer.u8(prefix.length)
  writer.append(ipBytes(prefix.ip).subarray(0, Math.ceil(prefix.length / 8)))
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
