/**
 * The datagram that speakers send each other: state, name, incarnation, counter and echo, then an HMAC-SHA256
 * under the shared secret when there is one. The echo is the incarnation that the sender knows the receiver by: a
 * recording from another receiver or from an earlier life of this one does not carry the right one.
 */
import { createHash, createHmac } from 'node:crypto'

const magic = Uint8Array.of(0x4c, 0x46, 0x48, 0x31)
const macLength = 32
const fixedLength = 6 + 24
export const maxHeartbeat = fixedLength + 255 + macLength

/** `joining` hears, but owns nothing yet; `leaving` owns nothing any more. */
export type MemberState = 'joining' | 'serving' | 'leaving'
const states: readonly MemberState[] = ['joining', 'serving', 'leaving']

export interface Heartbeat {
  readonly state: MemberState
  /** Node name of the sender. */
  readonly node: string
  /** Random, new with every start of the sender. */
  readonly incarnation: bigint
  /** Grows with every heartbeat of an incarnation. */
  readonly counter: bigint
  /** The receiver's incarnation as the sender knows it; 0: not known. */
  readonly echo: bigint
}

export type HeartbeatKey = Uint8Array | undefined

/** The HMAC key of a memberlist secret; its own, so that no other protocol's message can be mistaken for ours. */
export function heartbeatKey(secret: Uint8Array): Uint8Array {
  return createHash('sha256').update('landfall speaker heartbeat\0').update(secret).digest()
}

export function encodeHeartbeat(heartbeat: Heartbeat, key: HeartbeatKey): Uint8Array {
  const name = new TextEncoder().encode(heartbeat.node)
  if (name.length > 255) throw new RangeError(`node name ${heartbeat.node} is longer than 255 bytes`)
  const body = new Uint8Array(fixedLength + name.length)
  const view = new DataView(body.buffer)
  body.set(magic)
  body[4] = states.indexOf(heartbeat.state)
  body[5] = name.length
  body.set(name, 6)
  for (const [i, value] of [heartbeat.incarnation, heartbeat.counter, heartbeat.echo].entries())
    view.setBigUint64(6 + name.length + i * 8, value)
  if (key === undefined) return body
  const datagram = new Uint8Array(body.length + macLength)
  datagram.set(body)
  datagram.set(createHmac('sha256', key).update(body).digest(), body.length)
  return datagram
}

export type HeartbeatRefusal = 'malformed' | 'notAuthentic'

export function decodeHeartbeat(datagram: Uint8Array, key: HeartbeatKey): Heartbeat | HeartbeatRefusal {
  const length = fixedLength + (datagram[5] ?? 0)
  const state = states[datagram[4] ?? states.length]
  if (magic.some((byte, i) => datagram[i] !== byte) || state === undefined) return 'malformed'
  if (datagram.length !== length && datagram.length !== length + macLength) return 'malformed'
  const body = datagram.subarray(0, length)
  if (key !== undefined) {
    const expected = createHmac('sha256', key).update(body).digest()
    if (!equalInConstantTime(expected, datagram.subarray(length))) return 'notAuthentic'
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const at = length - 24
  return {
    state,
    node: new TextDecoder().decode(body.subarray(6, at)),
    incarnation: view.getBigUint64(at),
    counter: view.getBigUint64(at + 8),
    echo: view.getBigUint64(at + 16),
  }
}

function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
