/** ROUTE-REFRESH (RFC 2918) with the begin and end marks of RFC 7313. Outbound filters (RFC 5291) are not read. */
import { ByteReader } from './bytes.ts'
import { type Decoded, errorCode, fail, routeRefreshError, succeed } from './error.ts'
import type { AddressFamily } from './family.ts'
import { beginMessage, endMessage, messageType } from './header.ts'

export interface RouteRefreshMessage {
  readonly kind: 'routeRefresh'
  readonly family: AddressFamily
  /** 0 asks, 1 begins, 2 ends; others are to be ignored. */
  readonly subtype: number
}

export function encodeRouteRefresh({ family, subtype }: RouteRefreshMessage): Uint8Array {
  const writer = beginMessage(messageType.routeRefresh)
  writer.u16(family.afi)
  writer.u8(subtype)
  writer.u8(family.safi)
  return endMessage(writer)
}

export function decodeRouteRefresh(frame: Uint8Array, body: Uint8Array): Decoded<RouteRefreshMessage> {
  const reader = new ByteReader(body)
  const afi = reader.u16()
  const subtype = reader.u8()
  const safi = reader.u8()
  if ((subtype === 1 || subtype === 2) && reader.remaining > 0) {
    return fail(errorCode.routeRefresh, routeRefreshError.invalidLength, frame.slice())
  }
  return succeed({ kind: 'routeRefresh', family: { afi, safi }, subtype })
}
