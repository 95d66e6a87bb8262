/** What the state machine knows of a peer, and its fixed times. */
import type { Family } from '@landfall/netip'

export interface PeerSettings {
  readonly localASN: number
  /** `external`: any but ours. */
  readonly peerASN: number | 'external'
  /** What we offer to announce. */
  readonly families: readonly Family[]
  /** False: an OPEN without the multiprotocol capability, for IPv4 alone. */
  readonly multiprotocol: boolean
  /** Offers IPv4 over IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean
  /** How long the peer shall keep our routes after a silent end (RFC 4724), 1..4095; undefined: it shall not. */
  readonly restartSeconds: number | undefined
  /** An OPEN without any capability, as if the peer had none either (RFC 5492 §3). */
  readonly plain?: true
  /** Never dials. */
  readonly passive: boolean
  /** 0, or 3..65535; the smaller of both sides' counts. */
  readonly holdSeconds: number
  /** A third of the agreed hold time unless set, and never more than that. */
  readonly keepaliveSeconds?: number
  /** The longest wait between two attempts. Unset: 5 s after a failed connect, 30 s after a refused session. */
  readonly connectSeconds?: number
  /** 0 ≤ x < 1, for jitter. */
  readonly random: () => number
}

/** How long a connection attempt may take: a SYN dropped by a wrong password is never answered. */
export const connectLimitMs = 4000
/** How long the peer's OPEN may take. */
export const openLimitMs = 10_000
/** A session that lasted this long was a good one: its end does not count as a refusal. */
export const stableMs = 10_000

const firstWaitMs = 250
const connectWaitMs = 5000
const refusedWaitMs = 30_000

/** For a peer that does not know capabilities: IPv4, AS numbers of two octets. */
export function withoutCapabilities(settings: PeerSettings): PeerSettings {
  return { ...settings, plain: true, multiprotocol: false, extendedNextHop: false, restartSeconds: undefined }
}

/** The wait before the attempt that follows `count` failed connects, in ms. */
export function connectWait(settings: PeerSettings, count: number): number {
  return backoff(settings, count, connectWaitMs)
}

/** The wait before the attempt that follows `count` refused or short-lived sessions, in ms. */
export function refusedWait(settings: PeerSettings, count: number): number {
  return backoff(settings, count, refusedWaitMs)
}

/** RFC 4271 §10: a factor between 0.75 and 1. */
export function jitter(settings: PeerSettings, ms: number): number {
  return ms * (0.75 + 0.25 * settings.random())
}

function backoff(settings: PeerSettings, count: number, usualLimit: number): number {
  const limit = settings.connectSeconds === undefined ? usualLimit : settings.connectSeconds * 1000
  return jitter(settings, Math.min(limit, firstWaitMs * 2 ** Math.min(Math.max(count - 1, 0), 16)))
}
