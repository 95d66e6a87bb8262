/**
 * What a NOTIFICATION says: error codes and subcodes (RFC 4271 §4.5 and §6, RFC 4486, RFC 6608, RFC 7313,
 * RFC 8538, RFC 9003, RFC 9384), their names, and the result of a decoder.
 */

export interface BgpError {
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: BgpError }

export const errorCode = {
  header: 1,
  open: 2,
  update: 3,
  holdTimerExpired: 4,
  stateMachine: 5,
  cease: 6,
  routeRefresh: 7,
} as const

export const headerError = { notSynchronized: 1, badLength: 2, badType: 3 } as const

export const openError = {
  unsupportedVersion: 1,
  badPeerAS: 2,
  badIdentifier: 3,
  unsupportedParameter: 4,
  unacceptableHoldTime: 6,
  unsupportedCapability: 7,
} as const

export const updateError = {
  malformedAttributeList: 1,
  unrecognizedWellKnown: 2,
  missingWellKnown: 3,
  attributeFlags: 4,
  attributeLength: 5,
  invalidOrigin: 6,
  invalidNextHop: 8,
  optionalAttribute: 9,
  invalidNetworkField: 10,
  malformedASPath: 11,
} as const

export const stateMachineError = { inOpenSent: 1, inOpenConfirm: 2, inEstablished: 3 } as const

export const ceaseReason = {
  maximumPrefixes: 1,
  administrativeShutdown: 2,
  peerDeconfigured: 3,
  administrativeReset: 4,
  connectionRejected: 5,
  otherConfigurationChange: 6,
  connectionCollision: 7,
  outOfResources: 8,
  hardReset: 9,
  bfdDown: 10,
} as const

export const routeRefreshError = { invalidLength: 1 } as const

const noData = new Uint8Array(0)

export function bgpError(code: number, subcode: number, data: Uint8Array = noData): BgpError {
  return { code, subcode, data }
}

export function succeed<T>(value: T): Decoded<T> {
  return { ok: true, value }
}

export function fail<T>(code: number, subcode: number, data: Uint8Array = noData): Decoded<T> {
  return { ok: false, error: bgpError(code, subcode, data) }
}

const codes: Readonly<Record<number, { name: string; subcodes: Readonly<Record<string, number>> }>> = {
  [errorCode.header]: { name: 'messageHeader', subcodes: headerError },
  [errorCode.open]: { name: 'open', subcodes: openError },
  [errorCode.update]: { name: 'update', subcodes: updateError },
  [errorCode.holdTimerExpired]: { name: 'holdTimerExpired', subcodes: {} },
  [errorCode.stateMachine]: { name: 'stateMachine', subcodes: stateMachineError },
  [errorCode.cease]: { name: 'cease', subcodes: ceaseReason },
  [errorCode.routeRefresh]: { name: 'routeRefresh', subcodes: routeRefreshError },
}

/** A stable name such as `open/badPeerAS`, `holdTimerExpired`, or numbers where the registry has no name. */
export function nameOfError(error: { readonly code: number; readonly subcode: number }): string {
  const known = codes[error.code]
  if (known === undefined) return `${error.code}/${error.subcode}`
  const subcode = Object.entries(known.subcodes).find(([, value]) => value === error.subcode)
  if (subcode !== undefined) return `${known.name}/${subcode[0]}`
  return error.subcode === 0 ? known.name : `${known.name}/${error.subcode}`
}
