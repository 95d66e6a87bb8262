/**
 * BFD control packets as values, and bytes (RFC 5880 §4.1). No authentication. The decoder takes any bytes and makes
 * the checks of §6.8.6 that need no session.
 */

/** In the order of the wire's numbers. */
export const sessionStates = ['adminDown', 'down', 'init', 'up'] as const
export type SessionState = (typeof sessionStates)[number]

export const diagnostic = {
  none: 0,
  detectionTimeExpired: 1,
  echoFailed: 2,
  neighborSignaledDown: 3,
  forwardingPlaneReset: 4,
  pathDown: 5,
  concatenatedPathDown: 6,
  administrativelyDown: 7,
  reverseConcatenatedPathDown: 8,
} as const

export interface ControlPacket {
  readonly state: SessionState
  /** 0..31 */
  readonly diagnostic: number
  readonly poll: boolean
  readonly final: boolean
  /** The sender's BFD outlives its control plane. */
  readonly controlPlaneIndependent: boolean
  readonly demand: boolean
  /** 1..255 */
  readonly multiplier: number
  /** Not 0. */
  readonly myDiscriminator: number
  /** 0: not known yet. */
  readonly yourDiscriminator: number
  readonly desiredTransmitMs: number
  /** 0: send me none. */
  readonly requiredReceiveMs: number
  /** 0: no echo. */
  readonly requiredEchoMs: number
}

/** Why a datagram is no packet for us; stable codes that the metric shares. */
export type ControlRefusal =
  | 'tooShort'
  | 'badVersion'
  | 'badLength'
  | 'zeroMultiplier'
  | 'multipoint'
  | 'zeroDiscriminator'
  | 'authenticated'
  | 'noSession'

const version = 1
const length = 24
const authenticatedLength = 26
const flag = {
  poll: 0x20,
  final: 0x10,
  independent: 0x08,
  authentication: 0x04,
  demand: 0x02,
  multipoint: 0x01,
}
const longestMs = 0xffffffff / 1000

export function encodeControl(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  const { poll, final, controlPlaneIndependent, demand } = packet
  bytes[0] = (version << 5) | packet.diagnostic
  bytes[1] =
    (sessionStates.indexOf(packet.state) << 6) |
    (poll ? flag.poll : 0) |
    (final ? flag.final : 0) |
    (controlPlaneIndependent ? flag.independent : 0) |
    (demand ? flag.demand : 0)
  bytes[2] = packet.multiplier
  bytes[3] = length
  view.setUint32(4, packet.myDiscriminator)
  view.setUint32(8, packet.yourDiscriminator)
  view.setUint32(12, microseconds(packet.desiredTransmitMs))
  view.setUint32(16, microseconds(packet.requiredReceiveMs))
  view.setUint32(20, microseconds(packet.requiredEchoMs))
  return bytes
}

export function decodeControl(bytes: Uint8Array): ControlPacket | ControlRefusal {
  if (bytes.length < length) return 'tooShort'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = view.getUint8(0)
  const flags = view.getUint8(1)
  const has = (bit: number) => (flags & bit) !== 0
  if (head >>> 5 !== version) return 'badVersion'
  const said = view.getUint8(3)
  if (said < (has(flag.authentication) ? authenticatedLength : length) || said > bytes.length)
    return 'badLength'
  const multiplier = view.getUint8(2)
  if (multiplier === 0) return 'zeroMultiplier'
  if (has(flag.multipoint)) return 'multipoint'
  const state = sessionStates[flags >>> 6] ?? 'adminDown'
  const [myDiscriminator, yourDiscriminator] = [view.getUint32(4), view.getUint32(8)]
  if (myDiscriminator === 0) return 'zeroDiscriminator'
  if (yourDiscriminator === 0 && state !== 'down' && state !== 'adminDown') return 'zeroDiscriminator'
  if (has(flag.authentication)) return 'authenticated'
  return {
    state,
    diagnostic: head & 0x1f,
    poll: has(flag.poll),
    final: has(flag.final),
    controlPlaneIndependent: has(flag.independent),
    demand: has(flag.demand),
    multiplier,
    myDiscriminator,
    yourDiscriminator,
    desiredTransmitMs: view.getUint32(12) / 1000,
    requiredReceiveMs: view.getUint32(16) / 1000,
    requiredEchoMs: view.getUint32(20) / 1000,
  }
}

function microseconds(ms: number): number {
  return Math.round(Math.min(ms, longestMs) * 1000)
}
