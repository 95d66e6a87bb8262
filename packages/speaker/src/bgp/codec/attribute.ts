/** Path attributes as values: RFC 4271 §5, 1997, 4360, 4456, 4760, 6793, 8092. */
import type { Family, IP, Prefix } from '@landfall/netip'

export type Origin = 'igp' | 'egp' | 'incomplete'

export interface PathSegment {
  readonly kind: 'set' | 'sequence'
  /** 1..255 of them. */
  readonly asns: readonly number[]
}

export interface LargeCommunity {
  readonly global: number
  readonly local1: number
  readonly local2: number
}

/** 32 bytes on the wire when a link-local address stands beside the global one (RFC 2545). */
export interface NextHop {
  readonly address: IP
  readonly linkLocal?: IP
}

export type Attribute =
  | { readonly kind: 'origin'; readonly origin: Origin }
  | { readonly kind: 'asPath'; readonly segments: readonly PathSegment[] }
  | { readonly kind: 'nextHop'; readonly address: IP }
  | { readonly kind: 'med'; readonly value: number }
  | { readonly kind: 'localPref'; readonly value: number }
  | { readonly kind: 'atomicAggregate' }
  | { readonly kind: 'aggregator'; readonly asn: number; readonly address: IP }
  /** Each a 32-bit number, `65000:1` = 65000 × 65536 + 1. */
  | { readonly kind: 'communities'; readonly values: readonly number[] }
  | { readonly kind: 'originatorID'; readonly routerID: number }
  | { readonly kind: 'clusterList'; readonly ids: readonly number[] }
  | {
      readonly kind: 'mpReach'
      readonly family: Family
      readonly nextHop: NextHop
      readonly prefixes: readonly Prefix[]
    }
  | { readonly kind: 'mpUnreach'; readonly family: Family; readonly prefixes: readonly Prefix[] }
  /** Each 64 bits: type, subtype, value. */
  | { readonly kind: 'extendedCommunities'; readonly values: readonly bigint[] }
  | { readonly kind: 'as4Path'; readonly segments: readonly PathSegment[] }
  | { readonly kind: 'as4Aggregator'; readonly asn: number; readonly address: IP }
  | { readonly kind: 'largeCommunities'; readonly values: readonly LargeCommunity[] }
  /** Not known here, or of a family that is not unicast. */
  | { readonly kind: 'other'; readonly type: number; readonly flags: number; readonly data: Uint8Array }

export type AttributeKind = Attribute['kind']
export type AttributeOf<K extends AttributeKind> = Extract<Attribute, { kind: K }>

/** What of the session decides how attributes are written and judged. */
export interface AttributeContext {
  /** Both sides announced 4-octet AS numbers. */
  readonly fourOctetAS: boolean
  /** The peer is of our own AS. */
  readonly internal: boolean
}
