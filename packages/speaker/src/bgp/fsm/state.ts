/**
 * States, events and effects of one session (RFC 4271 §8). Times are milliseconds of the caller's clock.
 *
 * `active` is the wait for the next attempt after a connection failed, or for the peer to dial; `idle` with `startAt`
 * is the damped wait after a session was refused or broke (§8.1.1, DampPeerOscillations). While ours is not yet up,
 * a second connection, which the peer dialled, is its `rival` (§6.8).
 */
import type { Family } from '@landfall/netip'
import type { BgpError, Fault, Message, Received } from '../codec/index.ts'
import type { Agreed } from './negotiation.ts'

export interface Counters {
  /** Connects that failed in a row. */
  readonly connects: number
  /** Sessions in a row that were refused or did not last. */
  readonly refusals: number
  /** The peer ended the last one for the capabilities in our OPEN: this one has none. */
  readonly plain?: true
}

/** Of a state, what goes over into the next. */
export function countersOf({ connects, refusals, plain }: Counters): Counters {
  return { connects, refusals, ...(plain ? { plain } : {}) }
}

export interface Timers {
  /** Undefined without a hold time. */
  readonly holdAt: number | undefined
  readonly keepaliveAt: number | undefined
}

/** Who dialled. */
export type Side = 'ours' | 'theirs'

/** Our OPEN is sent on it, the peer's has not come. */
export interface Rival {
  readonly openBy: number
  readonly routerID: number
}

export interface Sides {
  readonly side: Side
  readonly rival: Rival | undefined
}

export type State =
  /** Without `startAt`: stopped, or held down by BFD. */
  | ({ readonly kind: 'idle'; readonly startAt: number | undefined; readonly held?: true } & Counters)
  | ({ readonly kind: 'connect'; readonly retryAt: number } & Counters)
  | ({ readonly kind: 'active'; readonly retryAt: number | undefined } & Counters)
  | ({ readonly kind: 'openSent'; readonly openBy: number; readonly routerID: number } & Sides & Counters)
  | ({ readonly kind: 'openConfirm'; readonly agreed: Agreed; readonly routerID: number } & Sides &
      Timers &
      Counters)
  | ({ readonly kind: 'established'; readonly agreed: Agreed; readonly since: number } & Timers & Counters)

/** What our OPEN on a connection says. */
export interface Opening {
  readonly routerID: number
  /** RFC 4724 §3, the R bit. */
  readonly restarting: boolean
}

export type Event =
  | { readonly kind: 'start' }
  /** `error` is the Cease that the peer is told. */
  | { readonly kind: 'stop'; readonly error: BgpError }
  /** BFD lost the peer: no session until it is found again (RFC 5882 §4.1). */
  | { readonly kind: 'hold' }
  | { readonly kind: 'release' }
  /** Where the peer is has become known: the wait for the next connect is over. */
  | { readonly kind: 'found' }
  /** A deadline may have passed. */
  | { readonly kind: 'tick' }
  | ({ readonly kind: 'connected' } & Opening)
  /** The peer dialled; its connection waits beside what there is. */
  | ({ readonly kind: 'accepted' } & Opening)
  /** Of the connection that waits. */
  | { readonly kind: 'rivalMessage'; readonly message: Received }
  | { readonly kind: 'rivalEnded'; readonly error: BgpError | undefined }
  /** The connection ends without a word, so that the peer keeps our routes (RFC 4724). */
  | { readonly kind: 'abandon' }
  | { readonly kind: 'connectFailed'; readonly message: string }
  | { readonly kind: 'closed'; readonly message?: string }
  | { readonly kind: 'message'; readonly message: Received }
  | { readonly kind: 'malformed'; readonly error: BgpError }

/** Why an attempt or a session ended. */
export type Ending =
  | { readonly kind: 'connectFailed'; readonly message: string }
  | { readonly kind: 'connectTimeout' }
  | { readonly kind: 'closed'; readonly message?: string }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'notificationReceived'; readonly error: BgpError }
  /** `detail`: what the peer said that is refused, for people. */
  | { readonly kind: 'notificationSent'; readonly error: BgpError; readonly detail?: string }

export type Effect =
  | { readonly kind: 'connect' }
  /** Close the connection once what was sent is flushed. */
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'send'; readonly message: Exclude<Message, { kind: 'update' }> }
  | { readonly kind: 'up'; readonly agreed: Agreed }
  /** The connection that waits takes the place of the one there was. */
  | { readonly kind: 'adopt' }
  | { readonly kind: 'sendRival'; readonly message: Exclude<Message, { kind: 'update' }> }
  | { readonly kind: 'refuseRival'; readonly error: BgpError }
  /** Without a word: it had the last one. */
  | { readonly kind: 'dropRival' }
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
      return earliest(state.openBy, state.rival?.openBy)
    case 'openConfirm':
      return earliest(state.holdAt, state.keepaliveAt, state.rival?.openBy)
    default:
      return earliest(state.holdAt, state.keepaliveAt)
  }
}

function earliest(...deadlines: readonly (number | undefined)[]): number | undefined {
  const set = deadlines.filter((at) => at !== undefined)
  return set.length === 0 ? undefined : Math.min(...set)
}
