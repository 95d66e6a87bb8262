/**
 * States, events and effects of one session (RFC 4271 §8). Times are milliseconds of the caller's clock.
 *
 * Only we dial: `active` is the wait for the next attempt after a connection failed, `idle` with `startAt` the
 * damped wait after a session was refused or broke (§8.1.1, DampPeerOscillations).
 */
import type { Family } from '@landfall/netip'
import type { BgpError, Fault, Message, Received } from '../codec/index.ts'
import type { Agreed } from './negotiation.ts'

export interface Counters {
  /** Connects that failed in a row. */
  readonly connects: number
  /** Sessions in a row that were refused or did not last. */
  readonly refusals: number
}

export interface Timers {
  /** Undefined without a hold time. */
  readonly holdAt: number | undefined
  readonly keepaliveAt: number | undefined
}

export type State =
  /** Without `startAt`: stopped, or held down by BFD. */
  | ({ readonly kind: 'idle'; readonly startAt: number | undefined; readonly held?: true } & Counters)
  | ({ readonly kind: 'connect'; readonly retryAt: number } & Counters)
  | ({ readonly kind: 'active'; readonly retryAt: number } & Counters)
  | ({ readonly kind: 'openSent'; readonly openBy: number; readonly routerID: number } & Counters)
  | ({ readonly kind: 'openConfirm'; readonly agreed: Agreed } & Timers & Counters)
  | ({ readonly kind: 'established'; readonly agreed: Agreed; readonly since: number } & Timers & Counters)

export type Event =
  | { readonly kind: 'start' }
  /** `error` is the Cease that the peer is told. */
  | { readonly kind: 'stop'; readonly error: BgpError }
  /** BFD lost the peer: no session until it is found again (RFC 5882 §4.1). */
  | { readonly kind: 'hold' }
  | { readonly kind: 'release' }
  /** A deadline may have passed. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'connected'; readonly routerID: number }
  | { readonly kind: 'connectFailed'; readonly message: string }
  | { readonly kind: 'closed'; readonly message?: string }
  | { readonly kind: 'message'; readonly message: Received }
  | { readonly kind: 'malformed'; readonly error: BgpError }

/** Why an attempt or a session ended. */
export type Ending =
  | { readonly kind: 'connectFailed'; readonly message: string }
  | { readonly kind: 'connectTimeout' }
  | { readonly kind: 'closed'; readonly message?: string }
  | { readonly kind: 'notificationReceived'; readonly error: BgpError }
  | { readonly kind: 'notificationSent'; readonly error: BgpError }

export type Effect =
  | { readonly kind: 'connect' }
  /** Close the connection once what was sent is flushed. */
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'send'; readonly message: Exclude<Message, { kind: 'update' }> }
  | { readonly kind: 'up'; readonly agreed: Agreed }
  /** The peer asks for all routes of the family again. */
  | { readonly kind: 'refresh'; readonly family: Family }
  /** The peer's UPDATE had faults that RFC 7606 lets pass. */
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** `retryAt` is missing after a stop. */
  | {
      readonly kind: 'ended'
      readonly ending: Ending
      readonly wasEstablished: boolean
      readonly retryAt?: number
    }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

export const stopped: State = { kind: 'idle', startAt: undefined, connects: 0, refusals: 0 }

/** When the next `tick` is due; undefined when only an outside event can move the session. */
export function nextDeadline(state: State): number | undefined {
  switch (state.kind) {
    case 'idle':
      return state.startAt
    case 'connect':
    case 'active':
      return state.retryAt
    case 'openSent':
      return state.openBy
    default: {
      const { holdAt, keepaliveAt } = state
      if (holdAt === undefined || keepaliveAt === undefined) return holdAt ?? keepaliveAt
      return Math.min(holdAt, keepaliveAt)
    }
  }
}
