/** MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760), IPv6 next hops (RFC 2545) and IPv4 over them (RFC 8950). */
import { type Family, ipBytes, ipFromBytes } from '@landfall/netip'
import type { AttributeOf, NextHop } from './attribute.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { familyOf, unicastOf } from './family.ts'
import { readPrefixes, writePrefix } from './nlri.ts'

/** Bytes of the value before the prefixes. */
export function mpReachOverhead(nextHop: NextHop): number {
  return 5 + writtenNextHop(nextHop).reduce((sum, bytes) => sum + bytes.length, 0)
}

export const mpUnreachOverhead = 3

export function writeMpReach(writer: ByteWriter, attribute: AttributeOf<'mpReach'>): void {
  const { afi, safi } = unicastOf(attribute.family)
  const addresses = writtenNextHop(attribute.nextHop)
  writer.u16(afi)
  writer.u8(safi)
  writer.u8(addresses.reduce((sum, bytes) => sum + bytes.length, 0))
  for (const bytes of addresses) writer.append(bytes)
  writer.u8(0)
  for (const prefix of attribute.prefixes) writePrefix(writer, prefix)
}

export function writeMpUnreach(writer: ByteWriter, attribute: AttributeOf<'mpUnreach'>): void {
  const { afi, safi } = unicastOf(attribute.family)
  writer.u16(afi)
  writer.u8(safi)
  for (const prefix of attribute.prefixes) writePrefix(writer, prefix)
}

export function readMpReach(data: Uint8Array): AttributeOf<'mpReach'> | 'other' | undefined {
  const reader = new ByteReader(data)
  const family = familyOf({ afi: reader.u16(), safi: reader.u8() })
  const nextHopBytes = reader.take(reader.u8())
  reader.u8()
  if (reader.overrun) return undefined
  if (family === undefined) return 'other'
  const nextHop = readNextHop(nextHopBytes, family)
  const prefixes = readPrefixes(reader.rest(), family)
  return nextHop && prefixes && { kind: 'mpReach', family, nextHop, prefixes }
}

export function readMpUnreach(data: Uint8Array): AttributeOf<'mpUnreach'> | 'other' | undefined {
  const reader = new ByteReader(data)
  const family = familyOf({ afi: reader.u16(), safi: reader.u8() })
  if (reader.overrun) return undefined
  if (family === undefined) return 'other'
  const prefixes = readPrefixes(reader.rest(), family)
  return prefixes && { kind: 'mpUnreach', family, prefixes }
}

function writtenNextHop({ address, linkLocal }: NextHop): readonly Uint8Array[] {
  return linkLocal === undefined ? [ipBytes(address)] : [ipBytes(address), ipBytes(linkLocal)]
}

/** IPv4 goes by an address of either family, IPv6 by one of its own. */
function readNextHop(bytes: Uint8Array, family: Family): NextHop | undefined {
  if (bytes.length === 4 && family === 6) return undefined
  const paired = bytes.length === 32
  const address = ipFromBytes(paired ? bytes.subarray(0, 16) : bytes)
  if (address === undefined) return undefined
  const linkLocal = paired ? ipFromBytes(bytes.subarray(16)) : undefined
  return linkLocal === undefined ? { address } : { address, linkLocal }
}
