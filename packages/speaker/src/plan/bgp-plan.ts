/** What this node announces by BGP: the peers of this node and the routes of each, sorted by name. */
import type { BFDSettings, SourceAddress } from '@landfall/metallb'
import type { Family, IP, Prefix } from '@landfall/netip'

export type { BFDSettings as BfdProfile, SourceAddress } from '@landfall/metallb'

export interface BgpPlan {
  /** Sorted by name; names are unique. */
  readonly peers: readonly BgpPeerPlan[]
  /** The node is being taken out: what goes now says so to its peers before it is withdrawn. */
  readonly retiring?: boolean
}

export interface BgpPeerPlan {
  /** Name of the BGPPeer object. */
  readonly name: string
  /** Absent for an unnumbered peer. */
  readonly address?: IP | undefined
  /** Where the one router is that an unnumbered session goes to. */
  readonly interface?: string | undefined
  readonly port: number
  readonly myASN: number
  /** `external`: any but ours. */
  readonly peerASN: number | 'external'
  /** 0: neither hold timer nor keepalives. */
  readonly holdTimeSeconds: number
  /** A third of the negotiated hold time when absent. */
  readonly keepaliveSeconds?: number
  readonly connectSeconds?: number | undefined
  readonly sourceAddress?: SourceAddress | undefined
  /** An IPv4 address. */
  readonly routerID?: IP
  /** TCP-MD5 key, already read from its Secret. */
  readonly password?: string
  readonly ebgpMultiHop: boolean
  /** How many hops away the peer is at most; what comes from further away is dropped (RFC 5082). */
  readonly ttlSecurityHops?: number | undefined
  /** Device that the session is bound to. */
  readonly vrf?: string | undefined
  /** What is announced to it; both when absent. */
  readonly families?: readonly Family[] | undefined
  /** Without the multiprotocol extension, for IPv4 alone. */
  readonly disableMP?: boolean | undefined
  /** It shall keep our routes while the speaker restarts (RFC 4724). */
  readonly gracefulRestart?: boolean | undefined
  /** It dials, we do not. */
  readonly passive?: boolean | undefined
  /** Failure detection beside the session. */
  readonly bfd?: BFDSettings | undefined
  /** The next hop is the local address of the session. */
  readonly routes: Routes
}

/** Sorted by prefix; a prefix stands once. */
export interface Routes extends Iterable<BgpRoute> {
  readonly length: number
  /** Of routes that go on changing, be the plan an older one. Absent: they stay as they are. */
  readonly changes?: RouteChanges
}

export interface RouteChanges {
  /** How many there have been. */
  count(): number
  /** Of each prefix that came after so many changes what it is now; undefined: that is too long ago. */
  since(count: number): readonly RouteChange[] | undefined
}

export interface RouteChange {
  readonly prefix: Prefix
  /** undefined: it is gone. */
  readonly route: BgpRoute | undefined
}

export interface BgpRoute {
  readonly prefix: Prefix
  /** Sent on iBGP sessions only. */
  readonly localPref?: number
  /** MULTI_EXIT_DISC. */
  readonly med?: number
  /** How often our AS number stands in the path beyond once; on eBGP sessions only. */
  readonly prepend?: number
  /** Link bandwidth in bytes a second: the peer's weight among several paths. */
  readonly bandwidth?: number
  /** Sorted, without duplicates. */
  readonly communities: readonly Community[]
}

export type Community =
  /** RFC 1997: both parts 16 bits. */
  | { readonly kind: 'standard'; readonly high: number; readonly low: number }
  /** RFC 8092: three parts of 32 bits. */
  | { readonly kind: 'large'; readonly global: number; readonly local1: number; readonly local2: number }
