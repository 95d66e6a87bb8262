/**
 * The message header and the framing of the stream (RFC 4271 §4.1, §6.1; RFC 8654 for the longer limit).
 */
import { ByteWriter } from './bytes.ts'
import { type BgpError, bgpError, errorCode, headerError } from './error.ts'

export const headerLength = 19
export const maxMessageLength = 4096
export const maxExtendedLength = 65535

export const messageType = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const

export type Framing =
  /** The whole message, header included, and what follows it. Both are views. */
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly rest: Uint8Array }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'error'; readonly error: BgpError }

/**
 * Takes the first message off the stream. An error is found as soon as the offending byte is there. `limit` is
 * 4096, or 65535 once extended messages are agreed.
 */
export function nextFrame(bytes: Uint8Array, limit: number): Framing {
  for (const byte of bytes.subarray(0, 16)) {
    if (byte !== 0xff) return broken(headerError.notSynchronized)
  }
  const high = bytes[16]
  const low = bytes[17]
  const type = bytes[18]
  if (high === undefined || low === undefined) return { kind: 'incomplete' }
  const length = high * 0x100 + low
  if (length < headerLength || length > limit) {
    return broken(headerError.badLength, Uint8Array.of(high, low))
  }
  if (type === undefined) return { kind: 'incomplete' }
  const shortest = shortestOf(type)
  if (shortest === undefined) return broken(headerError.badType, Uint8Array.of(type))
  if (!lengthFits(type, length, shortest)) {
    return broken(headerError.badLength, Uint8Array.of(high, low))
  }
  if (bytes.length < length) return { kind: 'incomplete' }
  return { kind: 'frame', frame: bytes.subarray(0, length), rest: bytes.subarray(length) }
}

/** Starts a message; `endMessage` fills in the length. */
export function beginMessage(type: number, capacity?: number): ByteWriter {
  const writer = new ByteWriter(capacity)
  for (let i = 0; i < 4; i++) writer.u32(0xffffffff)
  writer.u16(0)
  writer.u8(type)
  return writer
}

export function endMessage(writer: ByteWriter): Uint8Array {
  writer.patchU16(16, writer.length)
  return writer.finish()
}

function broken(subcode: number, data?: Uint8Array): Framing {
  return { kind: 'error', error: bgpError(errorCode.header, subcode, data) }
}

function shortestOf(type: number): number | undefined {
  switch (type) {
    case messageType.open:
      return 29
    case messageType.update:
    case messageType.routeRefresh:
      return 23
    case messageType.notification:
      return 21
    case messageType.keepalive:
      return headerLength
    default:
      return undefined
  }
}

/** KEEPALIVE has one length; OPEN stays within 4096 even where messages are extended (RFC 8654 §4). */
function lengthFits(type: number, length: number, shortest: number): boolean {
  if (type === messageType.keepalive) return length === headerLength
  if (type === messageType.open && length > maxMessageLength) return false
  return length >= shortest
}
