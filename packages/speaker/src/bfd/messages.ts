/** What the main thread and BFD in the worker thread tell each other. */
import type { IP } from '@landfall/netip'
import type { BfdProfile } from '../plan/bgp-plan.ts'
import type { SessionState } from './codec/index.ts'

export interface BfdSession {
  /** Name of the peer. */
  readonly id: string
  /** Of the routing protocol's session. */
  readonly local: IP
  readonly remote: IP
  /** Interface of a link-local peer, or VRF. */
  readonly device: string | undefined
  readonly multihop: boolean
  readonly profile: BfdProfile
}

export type ToBfd =
  /** Begins a session, or changes the one of that id. */
  | { readonly kind: 'open'; readonly session: BfdSession }
  | { readonly kind: 'close'; readonly id: string }
  /**
   * The connection to end when the session goes down and the main thread does not do so. The descriptor belongs to
   * BFD from now on.
   */
  | { readonly kind: 'guard'; readonly id: string; readonly fd: number }
  | { readonly kind: 'unguard'; readonly id: string }
  /** The peer went as one that restarts gracefully: BFD that ends with it says nothing of the path (RFC 5882 §4.3.2). */
  | { readonly kind: 'restarting'; readonly id: string }

/** Why a session cannot begin. Tried again until it can. `pathTaken`: between two addresses there is one (RFC 5881 §3). */
export type BfdObstacle = 'portInUse' | 'pathTaken' | 'addressMissing' | 'socketFailed'

export interface BfdCounts {
  readonly controlIn: number
  readonly controlOut: number
  readonly echoIn: number
  readonly echoOut: number
}

export type FromBfd =
  | {
      readonly kind: 'state'
      readonly id: string
      readonly state: SessionState
      /** RFC 5880 §4.1. */
      readonly diagnostic: number
      /** The routing protocol is to stay down. */
      readonly held: boolean
    }
  | {
      readonly kind: 'obstacle'
      readonly id: string
      readonly obstacle: BfdObstacle
      readonly message: string
    }
  /** The routing protocol's connection was ended here, since the main thread did not. */
  | { readonly kind: 'shut'; readonly id: string }
  /** Since the last report, by id; and datagrams that were none of ours, by reason. */
  | {
      readonly kind: 'counts'
      readonly sessions: Readonly<Record<string, BfdCounts>>
      readonly refused: Readonly<Record<string, number>>
    }
