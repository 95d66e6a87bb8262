/**
 * The list of path attributes of an UPDATE. In: bytes or values. Out: values with the faults found (RFC 7606), or
 * the error that resets the session.
 */
import type { Attribute, AttributeContext } from './attribute.ts'
import { type AttributeSpec, attributeTable, flag, type Treatment } from './attribute-table.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { type Decoded, errorCode, fail, succeed, updateError } from './error.ts'

/** A fault that does not reset the session. */
export interface Fault {
  readonly treatment: Exclude<Treatment, 'reset'>
  /** The attribute's type code. */
  readonly attribute: number
  /** The subcode of UPDATE Message Error that names it. */
  readonly subcode: number
}

export interface AttributeList {
  readonly attributes: readonly Attribute[]
  readonly faults: readonly Fault[]
}

type Reading =
  | { readonly kind: 'attribute'; readonly attribute: Attribute }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'reset'; readonly subcode: number }

const specs: ReadonlyMap<number, AttributeSpec<Attribute>> = new Map(
  Object.values(attributeTable).map((spec) => [spec.type, spec]),
)
const multiprotocol: ReadonlySet<number> = new Set([
  attributeTable.mpReach.type,
  attributeTable.mpUnreach.type,
])

/** Writes one attribute with its header. */
export function writeAttribute(writer: ByteWriter, attribute: Attribute, context: AttributeContext): void {
  const value = new ByteWriter()
  const { type, flags } = writeValue(value, attribute, context)
  const long = value.length > 255
  writer.u8(long ? flags | flag.extendedLength : flags & ~flag.extendedLength)
  writer.u8(type)
  if (long) writer.u16(value.length)
  else writer.u8(value.length)
  writer.append(value.finish())
}

export function readAttributes(bytes: Uint8Array, context: AttributeContext): Decoded<AttributeList> {
  const reader = new ByteReader(bytes)
  const attributes: Attribute[] = []
  const faults: Fault[] = []
  const seen = new Set<number>()
  while (reader.remaining > 0) {
    const flags = reader.u8()
    const type = reader.u8()
    const data = reader.take((flags & flag.extendedLength) === 0 ? reader.u8() : reader.u16())
    if (reader.overrun) {
      faults.push({ treatment: 'withdraw', attribute: type, subcode: updateError.malformedAttributeList })
      break
    }
    if (seen.has(type)) {
      if (multiprotocol.has(type)) return fail(errorCode.update, updateError.malformedAttributeList)
      faults.push({ treatment: 'discard', attribute: type, subcode: updateError.malformedAttributeList })
      continue
    }
    seen.add(type)
    const reading = readOne(flags, type, data, context)
    if (reading.kind === 'attribute') attributes.push(reading.attribute)
    else if (reading.kind === 'fault') faults.push(reading.fault)
    else return fail(errorCode.update, reading.subcode, whole(flags, type, data))
  }
  return succeed({ attributes, faults })
}

function readOne(flags: number, type: number, data: Uint8Array, context: AttributeContext): Reading {
  const spec = specs.get(type)
  const other: Reading = {
    kind: 'attribute',
    attribute: { kind: 'other', type, flags: flags & ~flag.extendedLength, data: data.slice() },
  }
  if (spec === undefined) {
    const isOptional = (flags & flag.optional) !== 0
    return isOptional ? other : { kind: 'reset', subcode: updateError.unrecognizedWellKnown }
  }
  const fault = (treatment: Fault['treatment'], subcode: number): Reading => ({
    kind: 'fault',
    fault: { treatment, attribute: type, subcode },
  })
  const broken = (subcode: number): Reading =>
    spec.broken === 'reset' ? { kind: 'reset', subcode } : fault(spec.broken, subcode)
  if (spec.internalOnly === true && !context.internal) return fault('discard', spec.subcode)
  // Whatever becomes of the attribute's value when that is broken (RFC 7606 §3 c).
  if (((flags ^ spec.flags) & (flag.optional | flag.transitive)) !== 0) {
    return fault('withdraw', updateError.attributeFlags)
  }
  if (spec.length !== undefined && data.length !== spec.length) return broken(updateError.attributeLength)
  const attribute = spec.read(data, context)
  if (attribute === 'other') return other
  return attribute === undefined ? broken(spec.subcode) : { kind: 'attribute', attribute }
}

function writeValue(writer: ByteWriter, attribute: Attribute, context: AttributeContext) {
  if (attribute.kind === 'other') {
    writer.append(attribute.data)
    return attribute
  }
  const spec: AttributeSpec<Attribute> = attributeTable[attribute.kind]
  spec.write(writer, attribute, context)
  return spec
}

/** The attribute as it stood, for the data of a NOTIFICATION. */
function whole(flags: number, type: number, data: Uint8Array): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(flags)
  writer.u8(type)
  if ((flags & flag.extendedLength) === 0) writer.u8(data.length)
  else writer.u16(data.length)
  writer.append(data)
  return writer.finish()
}
