/** Socket addresses as bytes: sockaddr_in, sockaddr_in6 and sockaddr_ll of Linux. */
import { type IP, ipBytes } from '@landfall/netip'

export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17

/** `scope` is the interface index of a link-local IPv6 address, else 0. */
export function inetAddress(ip: IP, port: number, scope = 0): Uint8Array {
  const bytes = new Uint8Array(ip.family === 4 ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, ip.family === 4 ? AF_INET : AF_INET6, true)
  view.setUint16(2, port)
  bytes.set(ipBytes(ip), ip.family === 4 ? 4 : 8)
  if (ip.family === 6) view.setUint32(24, scope, true)
  return bytes
}

export function linkAddress(ethertype: number, interfaceIndex: number): Uint8Array {
  const bytes = new Uint8Array(20)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ethertype)
  view.setInt32(4, interfaceIndex, true)
  return bytes
}
