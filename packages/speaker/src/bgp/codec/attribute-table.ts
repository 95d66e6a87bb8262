/**
 * The table of path attributes: for each its type code, the flags it must carry, how its value is written and read,
 * and what is done when the value is broken (RFC 7606 §7): the routes are treated as withdrawn, the attribute is
 * discarded, or, where the routes can no longer be told, the session is reset.
 */
import { ipBytes, ipFromBytes } from '@landfall/netip'
import { readPath, writePath } from './as-path.ts'
import type { Attribute, AttributeContext, AttributeKind, AttributeOf, Origin } from './attribute.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { updateError } from './error.ts'
import { readMpReach, readMpUnreach, writeMpReach, writeMpUnreach } from './multiprotocol.ts'
import { asFieldOf } from './open.ts'

export const flag = { optional: 0x80, transitive: 0x40, partial: 0x20, extendedLength: 0x10 } as const

export type Treatment = 'withdraw' | 'discard' | 'reset'

export interface AttributeSpec<A extends Attribute> {
  readonly type: number
  readonly flags: number
  write(writer: ByteWriter, attribute: A, context: AttributeContext): void
  /** 'other' for a value that is well formed and not ours to understand. */
  read(data: Uint8Array, context: AttributeContext): A | 'other' | undefined
  /** Of the value, where it is fixed: another one is an Attribute Length Error. */
  readonly length?: number
  readonly broken: Treatment
  /** The subcode of UPDATE Message Error for a value that cannot be read. */
  readonly subcode: number
  /** An external peer has no say in it: discarded, well formed or not. */
  readonly internalOnly?: true
}

type Known = Exclude<AttributeKind, 'other'>
type Table = { readonly [K in Known]: AttributeSpec<AttributeOf<K>> }

const wellKnown = flag.transitive
const optional = flag.optional
const both = flag.optional | flag.transitive
const origins: readonly Origin[] = ['igp', 'egp', 'incomplete']

export const attributeTable: Table = {
  origin: {
    type: 1,
    flags: wellKnown,
    write: (writer, { origin }) => writer.u8(origins.indexOf(origin)),
    read: (data) => {
      const origin = origins[data[0] ?? 0]
      return origin === undefined ? undefined : { kind: 'origin', origin }
    },
    length: 1,
    broken: 'withdraw',
    subcode: updateError.invalidOrigin,
  },
  asPath: {
    type: 2,
    flags: wellKnown,
    write: (writer, { segments }, { fourOctetAS }) => writePath(writer, segments, fourOctetAS),
    read: (data, { fourOctetAS }) => {
      const segments = readPath(data, fourOctetAS)
      return segments === undefined ? undefined : { kind: 'asPath', segments }
    },
    broken: 'withdraw',
    subcode: updateError.malformedASPath,
  },
  nextHop: {
    type: 3,
    flags: wellKnown,
    write: (writer, { address }) => writer.append(ipBytes(address)),
    read: (data) => {
      const address = isHost(data[0] ?? 0) ? ipFromBytes(data) : undefined
      return address && { kind: 'nextHop', address }
    },
    length: 4,
    broken: 'withdraw',
    subcode: updateError.invalidNextHop,
  },
  med: number32(4, optional, (value) => ({ kind: 'med', value })),
  localPref: {
    ...number32(5, wellKnown, (value) => ({ kind: 'localPref', value })),
    internalOnly: true,
  },
  atomicAggregate: {
    type: 6,
    flags: wellKnown,
    write: () => undefined,
    read: (data) => (data.length === 0 ? { kind: 'atomicAggregate' } : undefined),
    broken: 'discard',
    subcode: updateError.attributeLength,
  },
  aggregator: {
    type: 7,
    flags: both,
    write: (writer, attribute, { fourOctetAS }) => writeAggregator(writer, attribute, fourOctetAS),
    read: (data, { fourOctetAS }) => {
      const value = readAggregator(data, fourOctetAS)
      return value && { kind: 'aggregator', ...value }
    },
    broken: 'discard',
    subcode: updateError.attributeLength,
  },
  communities: {
    type: 8,
    flags: both,
    write: (writer, { values }) => {
      for (const value of values) writer.u32(value)
    },
    read: (data) => {
      const values = readNumbers(data)
      return values && { kind: 'communities', values }
    },
    broken: 'withdraw',
    subcode: updateError.optionalAttribute,
  },
  originatorID: {
    type: 9,
    flags: optional,
    write: (writer, { routerID }) => writer.u32(routerID),
    read: (data) =>
      data.length === 4 ? { kind: 'originatorID', routerID: new ByteReader(data).u32() } : undefined,
    broken: 'withdraw',
    subcode: updateError.attributeLength,
    internalOnly: true,
  },
  clusterList: {
    type: 10,
    flags: optional,
    write: (writer, { ids }) => {
      for (const id of ids) writer.u32(id)
    },
    read: (data) => {
      const ids = readNumbers(data)
      return ids && { kind: 'clusterList', ids }
    },
    broken: 'withdraw',
    subcode: updateError.attributeLength,
    internalOnly: true,
  },
  mpReach: {
    type: 14,
    flags: optional,
    write: writeMpReach,
    read: readMpReach,
    broken: 'reset',
    subcode: updateError.optionalAttribute,
  },
  mpUnreach: {
    type: 15,
    flags: optional,
    write: writeMpUnreach,
    read: readMpUnreach,
    broken: 'reset',
    subcode: updateError.optionalAttribute,
  },
  extendedCommunities: {
    type: 16,
    flags: both,
    write: (writer, { values }) => {
      for (const value of values) {
        writer.u32(Number(value >> 32n))
        writer.u32(Number(value & 0xffffffffn))
      }
    },
    read: readExtendedCommunities,
    broken: 'withdraw',
    subcode: updateError.optionalAttribute,
  },
  as4Path: {
    type: 17,
    flags: both,
    write: (writer, { segments }) => writePath(writer, segments, true),
    read: (data) => {
      const segments = readPath(data, true)
      return segments === undefined ? undefined : { kind: 'as4Path', segments }
    },
    broken: 'discard',
    subcode: updateError.optionalAttribute,
  },
  as4Aggregator: {
    type: 18,
    flags: both,
    write: (writer, attribute) => writeAggregator(writer, attribute, true),
    read: (data) => {
      const value = readAggregator(data, true)
      return value && { kind: 'as4Aggregator', ...value }
    },
    broken: 'discard',
    subcode: updateError.optionalAttribute,
  },
  largeCommunities: {
    type: 32,
    flags: both,
    write: (writer, { values }) => {
      for (const { global, local1, local2 } of values) {
        writer.u32(global)
        writer.u32(local1)
        writer.u32(local2)
      }
    },
    read: readLargeCommunities,
    broken: 'withdraw',
    subcode: updateError.optionalAttribute,
  },
}

function number32<A extends AttributeOf<'med' | 'localPref'>>(
  type: number,
  flags: number,
  make: (value: number) => A,
): AttributeSpec<A> {
  return {
    type,
    flags,
    write: (writer, { value }) => writer.u32(value),
    read: (data) => (data.length === 4 ? make(new ByteReader(data).u32()) : undefined),
    broken: 'withdraw',
    subcode: updateError.attributeLength,
  }
}

type Aggregator = Pick<AttributeOf<'aggregator'>, 'asn' | 'address'>

function writeAggregator(writer: ByteWriter, { asn, address }: Aggregator, fourOctet: boolean): void {
  if (fourOctet) writer.u32(asn)
  else writer.u16(asFieldOf(asn))
  writer.append(ipBytes(address))
}

function readAggregator(data: Uint8Array, fourOctet: boolean): Aggregator | undefined {
  if (data.length !== (fourOctet ? 8 : 6)) return undefined
  const reader = new ByteReader(data)
  const asn = fourOctet ? reader.u32() : reader.u16()
  const address = ipFromBytes(reader.rest())
  return address && { asn, address }
}

/** RFC 7606 wants a multiple of four that is not zero. */
function readNumbers(data: Uint8Array): readonly number[] | undefined {
  if (data.length === 0 || data.length % 4 !== 0) return undefined
  const reader = new ByteReader(data)
  return Array.from({ length: data.length / 4 }, () => reader.u32())
}

function readExtendedCommunities(data: Uint8Array): AttributeOf<'extendedCommunities'> | undefined {
  if (data.length === 0 || data.length % 8 !== 0) return undefined
  const reader = new ByteReader(data)
  const values = Array.from({ length: data.length / 8 }, () => {
    const high = reader.u32()
    return (BigInt(high) << 32n) | BigInt(reader.u32())
  })
  return { kind: 'extendedCommunities', values }
}

function readLargeCommunities(data: Uint8Array): AttributeOf<'largeCommunities'> | undefined {
  if (data.length === 0 || data.length % 12 !== 0) return undefined
  const reader = new ByteReader(data)
  const values = Array.from({ length: data.length / 12 }, () => ({
    global: reader.u32(),
    local1: reader.u32(),
    local2: reader.u32(),
  }))
  return { kind: 'largeCommunities', values }
}

/** By the first octet of an IPv4 address: not this host, nor the loopback, a group or a reserved one. */
function isHost(first: number): boolean {
  return first !== 0 && first !== 127 && first < 224
}
