/** The BGP codec: messages as values, and bytes. Pure. */
export type {
  Attribute,
  AttributeContext,
  LargeCommunity,
  NextHop,
  Origin,
  PathSegment,
} from './attribute.ts'
export type { Fault } from './attribute-list.ts'
export type { Capability } from './capability.ts'
export {
  type BgpError,
  bgpError,
  ceaseReason,
  type Decoded,
  errorCode,
  nameOfError,
  openError,
  stateMachineError,
} from './error.ts'
export { type AddressFamily, familyOf, unicastOf } from './family.ts'
export { maxExtendedLength, maxMessageLength, nextFrame } from './header.ts'
export {
  decodeMessage,
  encodeMessage,
  type KeepaliveMessage,
  type Message,
  type Received,
  type SessionContext,
} from './message.ts'
export {
  isHardReset,
  type NotificationMessage,
  readShutdownText,
  reasonWithin,
  shutdownText,
} from './notification.ts'
export { asFieldOf, asnOfOpen, type OpenMessage } from './open.ts'
export { type Announcement, endOfRib, packAnnouncement, packWithdrawal } from './packing.ts'
export type { RouteRefreshMessage } from './route-refresh.ts'
export type { ReceivedUpdate, UpdateMessage } from './update.ts'
