/**
 * The codec's two ends: `encodeMessage` gives the bytes of a whole message, `decodeMessage` reads one whole frame.
 * The decoder takes any bytes: it answers with a value or with the error that a NOTIFICATION carries.
 */
import type { AttributeContext } from './attribute.ts'
import { type Decoded, errorCode, fail, headerError, succeed } from './error.ts'
import { beginMessage, endMessage, headerLength, messageType, nextFrame } from './header.ts'
import { decodeNotification, encodeNotification, type NotificationMessage } from './notification.ts'
import { decodeOpen, encodeOpen, type OpenMessage } from './open.ts'
import { decodeRouteRefresh, encodeRouteRefresh, type RouteRefreshMessage } from './route-refresh.ts'
import { decodeUpdate, encodeUpdate, type ReceivedUpdate, type UpdateMessage } from './update.ts'

export interface KeepaliveMessage {
  readonly kind: 'keepalive'
}

export type Message =
  | OpenMessage
  | UpdateMessage
  | NotificationMessage
  | KeepaliveMessage
  | RouteRefreshMessage
export type Received = Exclude<Message, UpdateMessage> | ReceivedUpdate

export interface SessionContext extends AttributeContext {
  /** The longest message the peer takes: 4096, or 65535 once extended messages are agreed. */
  readonly messageLimit: number
}

export function encodeMessage(message: Message, context: SessionContext): Uint8Array {
  switch (message.kind) {
    case 'open':
      return encodeOpen(message)
    case 'update':
      return encodeUpdate(message, context)
    case 'notification':
      return encodeNotification(message)
    case 'keepalive':
      return endMessage(beginMessage(messageType.keepalive))
    default:
      return encodeRouteRefresh(message)
  }
}

/** `frame` is one whole message, header included; more or less than that is an error as well. */
export function decodeMessage(frame: Uint8Array, context: SessionContext): Decoded<Received> {
  const framing = nextFrame(frame, context.messageLimit)
  if (framing.kind === 'error') return { ok: false, error: framing.error }
  if (framing.kind === 'incomplete' || framing.rest.length > 0) {
    return fail(errorCode.header, headerError.badLength, frame.slice(16, 18))
  }
  const body = frame.subarray(headerLength)
  switch (frame[18]) {
    case messageType.open:
      return decodeOpen(body)
    case messageType.update:
      return decodeUpdate(body, context)
    case messageType.notification:
      return succeed(decodeNotification(body))
    case messageType.keepalive:
      return succeed({ kind: 'keepalive' })
    default:
      return decodeRouteRefresh(frame, body)
  }
}
