/**
 * State, events and effects of one BFD session (RFC 5880 §6.8.1). Times are milliseconds of the caller's clock;
 * deadlines are derived from what was sent and heard last, so that a changed interval counts at once.
 */
import type { ControlPacket, SessionState } from '../codec/index.ts'

export interface BfdSettings {
  /** Not 0, and no other session's. */
  readonly discriminator: number
  readonly transmitMs: number
  readonly receiveMs: number
  /** 1..255 */
  readonly multiplier: number
  /** Interval of the echoes sent, and of those taken back for the peer; undefined: no echo. */
  readonly echoMs: number | undefined
  /** Says nothing before the peer does. */
  readonly passive: boolean
  /** 0 ≤ x < 1, for jitter. */
  readonly random: () => number
}

/** What the peer said last. */
export interface Remote {
  readonly state: SessionState
  readonly discriminator: number
  readonly transmitMs: number
  readonly receiveMs: number
  readonly echoMs: number
  readonly multiplier: number
  readonly demand: boolean
}

/** Two intervals: what we say, and what counts until the peer has confirmed it (§6.8.3). */
export interface Interval {
  readonly said: number
  readonly used: number
}

export interface State {
  readonly kind: SessionState
  readonly diagnostic: number
  /** undefined: silent for a detection time, or never heard. */
  readonly remote: Remote | undefined
  readonly transmit: Interval
  readonly receive: Interval
  readonly polling: boolean
  readonly heardAt: number
  readonly sentAt: number
  /** Part of the interval that passes before the next packet, drawn for each. */
  readonly jitter: number
  readonly echoSentAt: number
  readonly echoHeardAt: number
  /** When those left that have not come back; no more than `echoesToLose` are kept. */
  readonly echoesOut: readonly number[]
  /** Until then the routing protocol is to stay down; undefined: the session does not hold it. */
  readonly heldUntil: number | undefined
  /** When the peer's routing protocol went to restart; undefined: BFD was there since. */
  readonly doubtedAt: number | undefined
}

export type Event =
  | { readonly kind: 'packet'; readonly packet: ControlPacket }
  | { readonly kind: 'echo' }
  /** A deadline may have passed. */
  | { readonly kind: 'tick' }
  /** The settings are other ones from now on. */
  | { readonly kind: 'configured' }
  /** The peer's routing protocol restarts gracefully, and its BFD may end with it (RFC 5882 §4.3.2). */
  | { readonly kind: 'restarting' }
  /** Ends the session without accusing the path (RFC 5882 §3.2). */
  | { readonly kind: 'disabled' }

export type Effect =
  | { readonly kind: 'send'; readonly packet: ControlPacket }
  | { readonly kind: 'sendEcho' }
  /** State, diagnostic or whether the routing protocol is held changed. */
  | { readonly kind: 'changed' }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** Interval at which a session that is not up is tried, at most (§6.8.3). */
export const slowMs = 1000
/**
 * How long a peer may be silent before BFD that went down stops holding the routing protocol (RFC 5882 §4.2). A peer that
 * took its neighbor away, as FRR does with one of a listen range, speaks no BFD before BGP has dialled it.
 */
export const holdMs = 3 * slowMs

export function initial(settings: BfdSettings, now: number): State {
  const transmitMs = Math.max(slowMs, settings.transmitMs)
  return {
    kind: 'down',
    diagnostic: 0,
    remote: undefined,
    transmit: { said: transmitMs, used: transmitMs },
    receive: { said: settings.receiveMs, used: settings.receiveMs },
    polling: false,
    heardAt: now,
    // The first packet leaves at the first tick.
    sentAt: now - transmitMs,
    jitter: 0,
    echoSentAt: now,
    echoHeardAt: now,
    echoesOut: [],
    heldUntil: undefined,
    doubtedAt: undefined,
  }
}
