/**
 * Where a connection to a peer goes to and comes from on this node as its interfaces are now (pure): addresses,
 * device, and TTLs (RFC 5082 where asked for; else 1 for an external peer that is one hop away).
 */
import type { Interface } from '@landfall/net'
import { equalIP, formatIP, formatPrefix, type IP, isLinkLocal, prefixContains } from '@landfall/netip'
import type { BgpPeerPlan, SourceAddress } from '../plan/bgp-plan.ts'

export type Ends =
  | {
      readonly kind: 'ends'
      readonly remote: IP
      /** undefined: the kernel chooses. */
      readonly local: IP | undefined
      readonly device: string | undefined
      readonly ttl: number
      readonly minTtl: number | undefined
    }
  /** No attempt can be made. The message begins with a stable word. */
  | { readonly kind: 'missing'; readonly message: string }

/** `neighbor` gives the router that was heard on an interface. */
export function endsOf(
  peer: BgpPeerPlan,
  interfaces: readonly Interface[],
  neighbor: (name: string) => IP | undefined,
): Ends {
  const remote = peer.address ?? (peer.interface === undefined ? undefined : neighbor(peer.interface))
  if (remote === undefined) {
    return missing(`neighborUnknown: no router was heard on interface ${peer.interface ?? ''}`)
  }
  const source = peer.sourceAddress
  const local = source && sourceOf(source, remote, interfaces)
  if (source !== undefined && local === undefined) {
    return missing(`sourceAddressMissing: this node has no address for ${describe(source)}`)
  }
  return { kind: 'ends', remote, local, device: peer.interface ?? peer.vrf, ...ttlsOf(peer) }
}

export function ttlsOf(peer: BgpPeerPlan): { readonly ttl: number; readonly minTtl: number | undefined } {
  const { ttlSecurityHops, ebgpMultiHop, myASN, peerASN } = peer
  if (ttlSecurityHops !== undefined) return { ttl: 255, minTtl: 256 - ttlSecurityHops }
  return { ttl: myASN !== peerASN && !ebgpMultiHop ? 1 : 255, minTtl: undefined }
}

function sourceOf(source: SourceAddress, remote: IP, interfaces: readonly Interface[]): IP | undefined {
  switch (source.kind) {
    case 'address':
      return addresses(interfaces, remote).find((ip) => equalIP(ip, source.ip))
    case 'interface':
      return addresses(
        interfaces.filter(({ name }) => name === source.name),
        remote,
      )[0]
    default:
      return addresses(interfaces, remote).find((ip) => prefixContains(source.prefix, ip))
  }
}

/** Usable to reach the remote end: of its family, and link-local where that is. */
function addresses(interfaces: readonly Interface[], remote: IP): readonly IP[] {
  return interfaces
    .flatMap((one) => one.addresses)
    .filter(({ tentative }) => !tentative)
    .map(({ ip }) => ip)
    .filter((ip) => ip.family === remote.family && isLinkLocal(ip) === isLinkLocal(remote))
}

function describe(source: SourceAddress): string {
  if (source.kind === 'address') return formatIP(source.ip)
  return source.kind === 'interface' ? `interface ${source.name}` : `prefix ${formatPrefix(source.prefix)}`
}

function missing(message: string): Ends {
  return { kind: 'missing', message }
}
