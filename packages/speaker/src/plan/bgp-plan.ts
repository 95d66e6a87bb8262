/** What this node announces by BGP: the peers of this node and the routes of each. A value, sorted by name. */
import type { IP, Prefix } from '@landfall/netip'

export interface BgpPlan {
  /** Sorted by name; names are unique. */
  readonly peers: readonly BgpPeerPlan[]
}

export interface BgpPeerPlan {
  /** Name of the BGPPeer object. */
  readonly name: string
  readonly address: IP
  readonly port: number
  readonly myASN: number
  readonly peerASN: number
  /** 0: neither hold timer nor keepalives. */
  readonly holdTimeSeconds: number
  /** A third of the negotiated hold time when absent. */
  readonly keepaliveSeconds?: number
  readonly connectSeconds?: number
  readonly sourceAddress?: IP
  /** An IPv4 address. */
  readonly routerID?: IP
  /** TCP-MD5 key, already read from its Secret. */
  readonly password?: string
  readonly ebgpMultiHop: boolean
  /** Failure detection beside the session. */
  readonly bfd?: BfdProfile
  /** Sorted by prefix; a prefix stands once. The next hop is the local address of the session. */
  readonly routes: readonly BgpRoute[]
}

/** Times in milliseconds, 10 to 60,000. */
export interface BfdProfile {
  readonly transmitMs: number
  readonly receiveMs: number
  /** 2..255 */
  readonly multiplier: number
  /** Without it no echoes are sent or taken. */
  readonly echoMs?: number
  readonly passive: boolean
  /** Of packets that come over several hops; 1..254. */
  readonly minimumTtl: number
}

export interface BgpRoute {
  readonly prefix: Prefix
  /** Sent on iBGP sessions only. */
  readonly localPref?: number
  /** Sorted, without duplicates. */
  readonly communities: readonly Community[]
}

export type Community =
  /** RFC 1997: both parts 16 bits. */
  | { readonly kind: 'standard'; readonly high: number; readonly low: number }
  /** RFC 8092: three parts of 32 bits. */
  | { readonly kind: 'large'; readonly global: number; readonly local1: number; readonly local2: number }
