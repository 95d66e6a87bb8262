/**
 * The next hop of a session's routes: the session's own local address; for the other family, an address of that
 * family on the interface which has the session's address. Never an address of another interface: the peer might
 * not reach it, or it might belong to the pod network.
 */
import type { Family, IP } from '@landfall/netip'
import type { NextHop } from '../codec/index.ts'

/** `addresses`: the session's own, then those of its interface. undefined if none of them can be used. */
export function chooseNextHop(family: Family, addresses: readonly IP[]): NextHop | undefined {
  const address = addresses.find((ip) => ip.family === family && isUsable(ip))
  return address && { address }
}

/** Neither unspecified, loopback, link-local nor multicast. */
function isUsable(ip: IP): boolean {
  if (ip.family === 4) {
    const first = Number(ip.value >> 24n)
    return first !== 0 && first !== 127 && first < 224 && ip.value >> 16n !== 0xa9fen
  }
  return ip.value > 1n && ip.value >> 118n !== 0x3fan && ip.value >> 120n !== 0xffn
}
