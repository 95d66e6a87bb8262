/** The kernel's neighbour table: which Ethernet address an IPv4 neighbour has. */
import { readFileSync } from 'node:fs'
import { formatIP, type IP } from '@landfall/netip'

/** undefined: not known now. Six bytes otherwise. */
export function ethernetNeighbor(ip: IP): Uint8Array | undefined {
  return readNeighbor(readFileSync('/proc/net/arp', 'utf8'), formatIP(ip))
}

/** `table` as in /proc/net/arp: address, hardware type, flags (bit 1: complete), MAC, mask, device. */
export function readNeighbor(table: string, address: string): Uint8Array | undefined {
  for (const line of table.split('\n')) {
    const [ip, , flags, mac] = line.split(/\s+/)
    if (ip !== address || mac === undefined || (Number(flags) & 2) === 0) continue
    return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16))
  }
  return undefined
}
