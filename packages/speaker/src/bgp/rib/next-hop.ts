/**
 * The next hop of a session's routes: the session's own local address; for the other family, an address of that
 * family on the interface which has the session's address. Never an address of another interface: the peer might
 * not reach it, or it might belong to the pod network.
 */
import { type Family, type IP, isLinkLocal } from '@landfall/netip'
import type { NextHop } from '../codec/index.ts'

/**
 * `session` is the connection's local address, which serves even when it is loopback (a peer on this host);
 * `beside` are the addresses of its interface. undefined if none of them can be used.
 */
export function chooseNextHop(family: Family, session: IP, beside: readonly IP[]): NextHop | undefined {
  const own = session.family === family && !isLinkLocal(session)
  const address = own ? session : beside.find((ip) => ip.family === family && isGlobal(ip))
  return address && { address }
}

/** Neither unspecified, loopback, link-local nor multicast. */
function isGlobal(ip: IP): boolean {
  if (isLinkLocal(ip)) return false
  if (ip.family === 6) return ip.value > 1n && ip.value >> 120n !== 0xffn
  const first = Number(ip.value >> 24n)
  return first !== 0 && first !== 127 && first < 224
}
