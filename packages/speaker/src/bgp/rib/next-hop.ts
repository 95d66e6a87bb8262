/**
 * The next hop of a session's routes: the session's own local address; for the other family, an address of that
 * family on the interface which has the session's address. Never an address of another interface: the peer might
 * not reach it, or it might belong to the pod network.
 */
import { type Family, type IP, isLinkLocal } from '@landfall/netip'
import type { NextHop } from '../codec/index.ts'

export interface NextHopSources {
  /** The connection's local address, which serves even when it is loopback (a peer on this host). */
  readonly session: IP
  /** The addresses of its interface. */
  readonly beside: readonly IP[]
  /** IPv4 may go over an IPv6 next hop (RFC 8950). */
  readonly extended: boolean
  /** The peer has no address but its link-local one: IPv4 of ours means nothing to it. */
  readonly unnumbered: boolean
}

/** undefined if none of the addresses can be used. */
export function chooseNextHop(family: Family, sources: NextHopSources): NextHop | undefined {
  const { session, beside, extended, unnumbered } = sources
  if (family === 4 && extended && unnumbered) return chooseNextHop(6, sources)
  if (family === 6 && isLinkLocal(session)) {
    // RFC 2545 §3; where there is no global address the link-local one stands in both places.
    const global = beside.find((ip) => ip.family === 6 && isGlobal(ip))
    return { address: global ?? session, linkLocal: session }
  }
  const own = session.family === family && !isLinkLocal(session)
  const address = own ? session : beside.find((ip) => ip.family === family && isGlobal(ip))
  if (address !== undefined) return { address }
  return family === 4 && extended ? chooseNextHop(6, sources) : undefined
}

/** Neither unspecified, loopback, link-local nor multicast. */
function isGlobal(ip: IP): boolean {
  if (isLinkLocal(ip)) return false
  if (ip.family === 6) return ip.value > 1n && ip.value >> 120n !== 0xffn
  const first = Number(ip.value >> 24n)
  return first !== 0 && first !== 127 && first < 224
}
