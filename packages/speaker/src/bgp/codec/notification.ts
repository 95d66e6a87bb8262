/**
 * NOTIFICATION (RFC 4271 §4.5) and the text of a shutdown (RFC 9003): one length byte and UTF-8.
 */
import { ByteReader } from './bytes.ts'
import { type BgpError, ceaseReason, errorCode } from './error.ts'
import { beginMessage, endMessage, headerLength, maxMessageLength, messageType } from './header.ts'

export interface NotificationMessage {
  readonly kind: 'notification'
  readonly error: BgpError
}

const longestText = 255
const longestData = maxMessageLength - headerLength - 2

/** Data that does not fit a message of 4096 bytes is cut. */
export function encodeNotification({ error }: NotificationMessage): Uint8Array {
  const writer = beginMessage(messageType.notification)
  writer.u8(error.code)
  writer.u8(error.subcode)
  writer.append(error.data.subarray(0, longestData))
  return endMessage(writer)
}

export function decodeNotification(body: Uint8Array): NotificationMessage {
  const reader = new ByteReader(body)
  const code = reader.u8()
  const subcode = reader.u8()
  return { kind: 'notification', error: { code, subcode, data: reader.rest().slice() } }
}

/** Data of Cease/Administrative Shutdown or Reset; a longer text is cut between characters. */
export function shutdownText(text: string): Uint8Array {
  const data = new Uint8Array(longestText + 1)
  const { written } = new TextEncoder().encodeInto(text, data.subarray(1))
  data[0] = written
  return data.slice(0, written + 1)
}

export function isHardReset({ code, subcode }: BgpError): boolean {
  return code === errorCode.cease && subcode === ceaseReason.hardReset
}

/** What a Hard Reset was sent for (RFC 8538 §3); any other error is its own reason. */
export function reasonWithin(error: BgpError): BgpError {
  const [code, subcode] = error.data
  if (!isHardReset(error) || code === undefined || subcode === undefined) return error
  return { code, subcode, data: error.data.subarray(2) }
}

/** The text the peer's operator sent along; undefined if there is none or it is not readable. */
export function readShutdownText(error: BgpError): string | undefined {
  const carries =
    error.code === errorCode.cease &&
    (error.subcode === ceaseReason.administrativeShutdown ||
      error.subcode === ceaseReason.administrativeReset)
  const length = error.data[0]
  if (!carries || length === undefined || length === 0 || error.data.length < length + 1) return undefined
  const text = new TextDecoder().decode(error.data.subarray(1, length + 1))
  return text.includes('\ufffd') ? undefined : text
}
