/**
 * UPDATE (RFC 4271 §4.3, §6.3) under RFC 7606: most faults are answered by treating the routes as withdrawn, and
 * only what leaves the routes unknown resets the session.
 */
import type { Prefix } from '@landfall/netip'
import type { Attribute, AttributeContext, AttributeKind } from './attribute.ts'
import { type Fault, readAttributes, writeAttribute } from './attribute-list.ts'
import { attributeTable } from './attribute-table.ts'
import { ByteReader } from './bytes.ts'
import { type Decoded, errorCode, fail, succeed, updateError } from './error.ts'
import { beginMessage, endMessage, messageType } from './header.ts'
import { readPrefixes, writePrefix } from './nlri.ts'

export interface UpdateMessage {
  readonly kind: 'update'
  /** IPv4 prefixes; other families stand in `mpUnreach`. */
  readonly withdrawn: readonly Prefix[]
  /** In the order of the wire. */
  readonly attributes: readonly Attribute[]
  /** IPv4 prefixes; other families stand in `mpReach`. */
  readonly announced: readonly Prefix[]
}

/** With a fault of treatment 'withdraw', whatever the message announces counts as withdrawn. */
export interface ReceivedUpdate extends UpdateMessage {
  readonly faults: readonly Fault[]
}

export function encodeUpdate(update: UpdateMessage, context: AttributeContext): Uint8Array {
  const writer = beginMessage(messageType.update, 512)
  const withdrawnAt = writer.length
  writer.u16(0)
  for (const prefix of update.withdrawn) writePrefix(writer, prefix)
  writer.patchU16(withdrawnAt, writer.length - withdrawnAt - 2)
  const attributesAt = writer.length
  writer.u16(0)
  for (const attribute of update.attributes) writeAttribute(writer, attribute, context)
  writer.patchU16(attributesAt, writer.length - attributesAt - 2)
  for (const prefix of update.announced) writePrefix(writer, prefix)
  return endMessage(writer)
}

export function decodeUpdate(body: Uint8Array, context: AttributeContext): Decoded<ReceivedUpdate> {
  const reader = new ByteReader(body)
  const withdrawnBytes = reader.take(reader.u16())
  const attributeBytes = reader.take(reader.u16())
  if (reader.overrun) return fail(errorCode.update, updateError.malformedAttributeList)
  const withdrawn = readPrefixes(withdrawnBytes, 4)
  const announced = readPrefixes(reader.rest(), 4)
  if (withdrawn === undefined || announced === undefined) {
    return fail(errorCode.update, updateError.invalidNetworkField)
  }
  const list = readAttributes(attributeBytes, context)
  if (!list.ok) return list
  const { attributes } = list.value
  const faults = [
    ...list.value.faults,
    ...findMissing(attributes, announced.length > 0, context, list.value.faults),
  ]
  return succeed({ kind: 'update', withdrawn, attributes, announced, faults })
}

/** Attributes that a route cannot do without (RFC 4271 §5, RFC 4760 §3 on NEXT_HOP). */
function findMissing(
  attributes: readonly Attribute[],
  announces: boolean,
  context: AttributeContext,
  faults: readonly Fault[],
): readonly Fault[] {
  const present = new Set<AttributeKind>(attributes.map((attribute) => attribute.kind))
  const faulty = new Set(faults.map((fault) => fault.attribute))
  if (!announces && !present.has('mpReach')) return []
  const needed: Exclude<AttributeKind, 'other'>[] = ['origin', 'asPath']
  if (announces) needed.push('nextHop')
  if (context.internal) needed.push('localPref')
  return needed
    .filter((kind) => !present.has(kind) && !faulty.has(attributeTable[kind].type))
    .map((kind) => ({
      treatment: 'withdraw',
      attribute: attributeTable[kind].type,
      subcode: updateError.missingWellKnown,
    }))
}
