/**
 * OPEN (RFC 4271 §4.2, §6.2) with its capabilities (RFC 5492) and the long form of parameters (RFC 9072).
 * Whether its values suit this session (AS, hold time, identifier) is the state machine's to judge.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import { type Capability, readCapabilities, writeCapability } from './capability.ts'
import { type Decoded, errorCode, fail, openError, succeed } from './error.ts'
import { beginMessage, endMessage, messageType } from './header.ts'

export const bgpVersion = 4
/** Stands in the two-octet field for an AS number that does not fit (RFC 6793). */
export const asTrans = 23456

export interface OpenMessage {
  readonly kind: 'open'
  /** The two-octet field. `asnOfOpen` gives the AS number meant. */
  readonly asField: number
  readonly holdSeconds: number
  /** The BGP identifier, as a 32-bit number. */
  readonly routerID: number
  readonly capabilities: readonly Capability[]
}

const capabilitiesParameter = 2
const extendedMark = 255

/** The AS number meant: the capability's, else the field's. */
export function asnOfOpen(open: OpenMessage): number {
  for (const capability of open.capabilities) {
    if (capability.kind === 'fourOctetAS') return capability.asn
  }
  return open.asField
}

export function asFieldOf(asn: number): number {
  return asn > 0xffff ? asTrans : asn
}

/** All capabilities stand in one parameter. */
export function encodeOpen(open: OpenMessage): Uint8Array {
  const writer = beginMessage(messageType.open)
  writer.u8(bgpVersion)
  writer.u16(open.asField)
  writer.u16(open.holdSeconds)
  writer.u32(open.routerID)
  const capabilities = new ByteWriter()
  for (const capability of open.capabilities) writeCapability(capabilities, capability)
  writeParameters(writer, capabilities.finish())
  return endMessage(writer)
}

export function decodeOpen(body: Uint8Array): Decoded<OpenMessage> {
  const reader = new ByteReader(body)
  const version = reader.u8()
  if (version !== bgpVersion) {
    return fail(errorCode.open, openError.unsupportedVersion, Uint8Array.of(0, bgpVersion))
  }
  const asField = reader.u16()
  const holdSeconds = reader.u16()
  const routerID = reader.u32()
  const capabilities = readParameters(reader)
  if (!capabilities.ok) return capabilities
  return succeed({ kind: 'open', asField, holdSeconds, routerID, capabilities: capabilities.value })
}

function writeParameters(writer: ByteWriter, capabilities: Uint8Array): void {
  if (capabilities.length === 0) {
    writer.u8(0)
  } else if (capabilities.length <= 253) {
    writer.u8(capabilities.length + 2)
    writer.u8(capabilitiesParameter)
    writer.u8(capabilities.length)
  } else {
    writer.u8(extendedMark)
    writer.u8(extendedMark)
    writer.u16(capabilities.length + 3)
    writer.u8(capabilitiesParameter)
    writer.u16(capabilities.length)
  }
  writer.append(capabilities)
}

function readParameters(reader: ByteReader): Decoded<readonly Capability[]> {
  let length = reader.u8()
  const rest = reader.rest()
  const extended = length === extendedMark && rest[0] === extendedMark
  const parameters = new ByteReader(extended ? rest.subarray(1) : rest)
  if (extended) length = parameters.u16()
  if (parameters.overrun || parameters.remaining !== length) return fail(errorCode.open, 0)
  const capabilities: Capability[] = []
  while (parameters.remaining > 0) {
    const type = parameters.u8()
    const value = parameters.take(extended ? parameters.u16() : parameters.u8())
    if (parameters.overrun) return fail(errorCode.open, 0)
    if (type !== capabilitiesParameter) return fail(errorCode.open, openError.unsupportedParameter)
    const some = readCapabilities(value)
    if (some === undefined) return fail(errorCode.open, 0)
    capabilities.push(...some)
  }
  return succeed(capabilities)
}
