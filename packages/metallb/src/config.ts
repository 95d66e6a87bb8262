/**
 * The configuration that the controller and the speakers share: pools, how each is announced, and the peers.
 * Selectors of nodes, pools and namespaces are evaluated already; those of Services are kept.
 */
import type { LabelSelector } from '@landfall/api'
import type { Family, IP, Prefix, Range } from '@landfall/netip'

export interface Config {
  /** Sorted by name. */
  readonly pools: readonly Pool[]
  /** Sorted by name. */
  readonly peers: readonly Peer[]
  /** All of them, oldest first, for addresses whose pool is gone. Absent: none. */
  readonly advertisements?: {
    readonly l2: readonly ForPools<L2Advertisement>[]
    readonly bgp: readonly ForPools<BGPAdvertisement>[]
  }
  /** Aliases of communities. Absent: none. */
  readonly communities?: ReadonlyMap<string, BGPCommunity>
  /** Not all of it could be read: no address that a Service holds counts as one without a pool. */
  readonly incomplete?: boolean
}

/** An advertisement and the pools that it is for: those of these names and labels; all when there is neither. */
export interface ForPools<Advertisement> {
  readonly advertisement: Advertisement
  readonly pools: readonly string[]
  readonly poolSelectors: readonly LabelSelector[]
}

export interface Pool {
  readonly name: string
  /** In the order written, which is the order of allocation. */
  readonly ranges: readonly Range[]
  readonly autoAssign: boolean
  readonly avoidBuggyIPs: boolean
  readonly allocation: ServiceAllocation | undefined
  readonly l2: readonly L2Advertisement[]
  readonly bgp: readonly BGPAdvertisement[]
  /**
   * The object was refused: nothing new is allocated from it. It stands here with what can be read of it, so
   * that addresses which Services hold already stay announced.
   */
  readonly refused: boolean
}

export interface ServiceAllocation {
  /** The lower the sooner; 0 comes last. */
  readonly priority: number
  /** undefined: every namespace. */
  readonly namespaces: ReadonlySet<string> | undefined
  /** One of them must match; [] matches every Service. */
  readonly serviceSelectors: readonly LabelSelector[]
}

export interface L2Advertisement {
  readonly name: string
  /** [] means all. */
  readonly interfaces: readonly string[]
  readonly nodes: ReadonlySet<string>
  /** Of the nodes that a preference matches: the sum of the weights. */
  readonly weights: ReadonlyMap<string, number>
  readonly serviceSelectors: readonly LabelSelector[]
}

export interface BGPAdvertisement {
  readonly name: string
  readonly aggregationLength: number
  readonly aggregationLengthV6: number
  readonly localPref: number
  /** Without duplicates, in the order written. */
  readonly communities: readonly BGPCommunity[]
  /** [] means all. */
  readonly peers: readonly string[]
  readonly nodes: ReadonlySet<string>
  /** Routes of Services with policy `Local` say how many endpoints of theirs the node has. */
  readonly weighted: boolean
  readonly serviceSelectors: readonly LabelSelector[]
}

export type BGPCommunity =
  /** RFC 1997: 32 bits. */
  | { readonly kind: 'standard'; readonly value: number }
  /** RFC 8092: three times 32 bits. */
  | { readonly kind: 'large'; readonly value: readonly [number, number, number] }

export interface Peer {
  readonly name: string
  /** What the peer sees: `localASN` where that is given. */
  readonly myASN: number
  /** `external`: any but ours. */
  readonly peerASN: number | 'external'
  /** undefined for an unnumbered peer, and for no other. */
  readonly address: IP | undefined
  /** The link of an unnumbered peer. */
  readonly interface: string | undefined
  readonly port: number
  /** 0: no keepalives, the session never times out. Otherwise 3..65535. */
  readonly holdTimeSeconds: number
  readonly keepaliveSeconds: number
  /** The longest wait between two attempts; undefined: as the session sees fit. */
  readonly connectSeconds: number | undefined
  readonly sourceAddress: SourceAddress | undefined
  /** IPv4. */
  readonly routerID: IP | undefined
  readonly ebgpMultiHop: boolean
  /** 1..254; packets of a peer that is further away are dropped (RFC 5082). */
  readonly ttlSecurityHops: number | undefined
  readonly vrf: string | undefined
  /** What is announced to it. */
  readonly families: readonly Family[]
  /** Without the multiprotocol extension, for IPv4 alone. */
  readonly disableMP: boolean
  readonly gracefulRestart: boolean
  /** It dials, we do not. */
  readonly passive: boolean
  readonly bfd: BFDSettings | undefined
  readonly password: string | undefined
  readonly nodes: ReadonlySet<string>
}

/** Where a node connects from: an address, or the first one of the peer's family on an interface or in a prefix. */
export type SourceAddress =
  | { readonly kind: 'address'; readonly ip: IP }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }

/** Times in milliseconds, 10 to 60,000. */
export interface BFDSettings {
  readonly transmitMs: number
  readonly receiveMs: number
  /** 2..255 */
  readonly multiplier: number
  /** undefined: no echoes are sent or taken. */
  readonly echoMs: number | undefined
  readonly passive: boolean
  /** Of packets that come over several hops; 1..254. */
  readonly minimumTtl: number
}
