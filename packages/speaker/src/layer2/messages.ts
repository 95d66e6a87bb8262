/** What the main thread and the layer 2 worker tell each other. */
import type { FromBfd, ToBfd } from '../bfd/index.ts'
import type { Member, PeerAddress, Timing } from './core/membership.ts'
import type { OwnedAddress } from './core/ownership.ts'

/** Fixed for the life of the worker. */
export interface WorkerOptions {
  readonly node: string
  readonly timing: Timing
  readonly port: number
  /** Address that heartbeats are received on and sent from; '': all. */
  readonly bindAddress: string
  /** The memberlist secret at the start; undefined: heartbeats are not authenticated, and stay so. */
  readonly secret: Uint8Array | undefined
  /** Regular expressions of interface names that never answer. */
  readonly excludes: readonly string[]
  /** 0: none. */
  readonly refreshMs: number
}

export interface Desired {
  readonly addresses: readonly OwnedAddress[]
  readonly peers: readonly PeerAddress[]
}

export type ToWorker =
  | { readonly kind: 'desired'; readonly desired: Desired }
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  | { readonly kind: 'bfd'; readonly message: ToBfd }
  | { readonly kind: 'ping'; readonly sequence: number }
  | { readonly kind: 'stop' }

/** Counted since the last report, by address. */
export interface Counts {
  readonly requests: number
  readonly replies: number
  readonly gratuitous: number
}

export interface Announced {
  readonly ip: string
  /** Where it answers; empty: nowhere, although this node owns it. */
  readonly interfaces: readonly string[]
}

export interface Layer2State {
  /** False until the worker has heard who else is there. */
  readonly serving: boolean
  /** Addresses that this node owns. */
  readonly announced: readonly Announced[]
  /** Owner of each desired address; '': none of its candidates lives. */
  readonly owners: Readonly<Record<string, string>>
  readonly members: readonly Member[]
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type FromWorker =
  | { readonly kind: 'state'; readonly state: Layer2State }
  | { readonly kind: 'counts'; readonly counts: Readonly<Record<string, Counts>> }
  | { readonly kind: 'refusedHeartbeats'; readonly reason: string; readonly count: number }
  | { readonly kind: 'bfd'; readonly message: FromBfd }
  | { readonly kind: 'pong'; readonly sequence: number }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly event: string
      readonly fields: Readonly<Record<string, string | number>>
    }
  | { readonly kind: 'stopped' }
