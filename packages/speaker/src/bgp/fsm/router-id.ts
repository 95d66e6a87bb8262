/**
 * The BGP identifier when none is configured: the session's own IPv4 address; else the first IPv4 address of its
 * interface; else the CRC-32 (IEEE) of the node's name, little-endian. As a 32-bit number.
 */
import type { IP } from '@landfall/netip'

export interface RouterIDSources {
  readonly configured: IP | undefined
  /** The session's own, then those of its interface in their order. */
  readonly addresses: readonly IP[]
  readonly nodeName: string
}

export function chooseRouterID(sources: RouterIDSources): number {
  const address = [sources.configured, ...sources.addresses].find((ip) => ip?.family === 4)
  return address === undefined ? hashedID(sources.nodeName) : Number(address.value)
}

function hashedID(name: string): number {
  const crc = crc32(new TextEncoder().encode(name))
  const bytes = [crc & 0xff, (crc >>> 8) & 0xff, (crc >>> 16) & 0xff, crc >>> 24]
  return bytes.reduce((sum, byte) => sum * 0x100 + byte, 0)
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
