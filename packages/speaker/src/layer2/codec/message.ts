/**
 * The datagrams that speakers send each other. Every one is a heartbeat: a header that says who sends, what it has
 * heard and whom it follows; some carry a body (see bodies.ts). Then an HMAC-SHA256 under the shared secret when there
 * is one. The echo is the incarnation that the sender knows the receiver by: a recording from another receiver or
 * from an earlier life of this one does not carry the right one.
 */
import { createHash, createHmac } from 'node:crypto'
import { type Body, decodeBody, encodeBody } from './bodies.ts'
import { ByteReader, ByteWriter } from './bytes.ts'

/** The last is the version. */
const magic = Uint8Array.of(0x4c, 0x46, 0x48, 0x34)
const macLength = 32
/** No datagram is longer, whatever the names. */
export const maxMessage = 1900

/** `joining` hears, but coordinates nothing yet; `leaving` gives up what it owns; `left` is gone. */
export type MemberState = 'joining' | 'serving' | 'leaving' | 'left'
const states: readonly MemberState[] = ['joining', 'serving', 'leaving', 'left']

/** Stands for a digest that is not known; no set has it. */
export const notKnown = (1n << 64n) - 1n

/** A member's pace of heartbeats. */
export interface Timing {
  readonly intervalMs: number
  /** Intervals without a heartbeat until a member is dead. */
  readonly misses: number
}

/** Whom a member follows. A higher number is newer. */
export interface Following {
  readonly epoch: number
  /** Node name; '': nobody. */
  readonly coordinator: string
}

/** One that coordinates, as told to those that do not hear it. */
export interface Coordinating {
  readonly node: string
  readonly blind: boolean
  /** How long ago somebody heard it. */
  readonly heardMs: number
}

export interface Header {
  readonly state: MemberState
  /** The receiver is to confirm it at once. */
  readonly wantsReply: boolean
  /** Node name of the sender. */
  readonly node: string
  /** Random, new with every start of the sender. */
  readonly incarnation: bigint
  /** Grows with every message of an incarnation. */
  readonly counter: bigint
  /** The receiver's incarnation as the sender knows it; 0: not known. */
  readonly echo: bigint
  /** Counter of the newest message that the sender has of the receiver; 0: none. */
  readonly ack: bigint
  readonly timing: Timing
  /** The sender's right rests on a majority (core/timing.ts). */
  readonly fencing: boolean
  readonly following: Following
  /** The sender hears its coordinator itself. */
  readonly hears: boolean
  /** Whom the sender would follow, heard here or by others, if that one coordinates. */
  readonly first: Coordinating | undefined
  /** The sender's right lapsed: it holds, but does not answer. */
  readonly suspended: boolean
  /** Coordinator: who holds what is known, and no address has two holders. */
  readonly settled: boolean
  /** Someone asked for the addresses to be spread anew. */
  readonly rebalance: boolean
  /** The sender has had no API server for a while: what is desired anew it does not know. */
  readonly blind: boolean
  /** The last epoch that was settled while the sender followed it: what it holds is of that side. */
  readonly backing: number
  /** Digest of the addresses that the sender holds. */
  readonly held: bigint
  /** Coordinator: digest of what the receiver holds, and surely nobody else; `notKnown`: it cannot say. */
  readonly known: bigint
  /** Coordinator: for how long, from the confirmed message on, the receiver may answer; 0: not at all. */
  readonly grantMs: number
  /** The last order of this epoch that was carried out. */
  readonly orderAck: number
}

export interface Message {
  readonly header: Header
  readonly body: Body | undefined
}

export type MessageKey = Uint8Array | undefined

/** The HMAC key of a memberlist secret; its own, so that no other protocol's message can be mistaken for ours. */
export function messageKey(secret: Uint8Array): Uint8Array {
  return createHash('sha256').update('landfall speaker heartbeat\0').update(secret).digest()
}

export function encodeMessage({ header, body }: Message, key: MessageKey): Uint8Array {
  const writer = new ByteWriter()
  writer.raw(magic).uint(flagsOf(header), 2)
  writer
    .text(header.node)
    .text(header.following.coordinator)
    .text(header.first?.node ?? '')
  writer.uint64(header.incarnation).uint64(header.counter).uint64(header.echo).uint64(header.ack)
  writer.uint(header.timing.intervalMs, 2).uint(header.timing.misses, 1)
  writer.uint64(BigInt(header.following.epoch)).uint64(BigInt(header.backing))
  writer.uint64(header.held).uint64(header.known)
  writer.uint(Math.min(0xffff, Math.floor(header.grantMs)), 2).uint(header.orderAck, 4)
  writer.uint(Math.min(0xffffffff, header.first?.heardMs ?? 0), 4)
  encodeBody(body, writer)
  const bytes = writer.done()
  if (key === undefined) return bytes
  const datagram = new Uint8Array(bytes.length + macLength)
  datagram.set(bytes)
  datagram.set(createHmac('sha256', key).update(bytes).digest(), bytes.length)
  return datagram
}

export type MessageRefusal = 'malformed' | 'notAuthentic' | 'otherVersion'

/** Without a key the HMAC, if there is one, is passed over. */
export function decodeMessage(datagram: Uint8Array, key: MessageKey): Message | MessageRefusal {
  const reader = new ByteReader(datagram)
  const start = reader.raw(magic.length)
  if (start.length === 0 || magic.slice(0, -1).some((byte, i) => start[i] !== byte)) return 'malformed'
  if (start.at(-1) !== magic.at(-1)) return 'otherVersion'
  const header = readHeader(reader)
  if (header === undefined) return 'malformed'
  const body = decodeBody(reader)
  if (body === 'malformed') return 'malformed'
  const length = reader.atEnd ? datagram.length : datagram.length - macLength
  if (!reader.atEnd && (reader.raw(macLength).length === 0 || !reader.atEnd)) return 'malformed'
  if (key !== undefined) {
    const expected = createHmac('sha256', key).update(datagram.subarray(0, length)).digest()
    if (!equalInConstantTime(expected, datagram.subarray(length))) return 'notAuthentic'
  }
  return { header, body }
}

function flagsOf(header: Header): number {
  const bits = [header.wantsReply, header.fencing, header.hears, header.suspended, header.settled]
  return [...bits, header.rebalance, header.blind, header.first?.blind === true].reduce(
    (flags, bit, i) => flags | (bit ? 4 << i : 0),
    states.indexOf(header.state),
  )
}

function readHeader(reader: ByteReader): Header | undefined {
  const flags = reader.uint(2)
  const state = states[flags & 3]
  const bit = (i: number): boolean => (flags & (4 << i)) !== 0
  const [node, coordinator, first] = [reader.text(), reader.text(), reader.text()]
  const [incarnation, counter, echo, ack] = [
    reader.uint64(),
    reader.uint64(),
    reader.uint64(),
    reader.uint64(),
  ]
  const timing = { intervalMs: reader.uint(2), misses: reader.uint(1) }
  const [epoch, backing] = [Number(reader.uint64()), Number(reader.uint64())]
  const [held, known] = [reader.uint64(), reader.uint64()]
  const [grantMs, orderAck, heardMs] = [reader.uint(2), reader.uint(4), reader.uint(4)]
  if (!reader.ok || state === undefined || timing.intervalMs === 0 || timing.misses === 0) return undefined
  if (flags >= 4 << 8 || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(backing)) return undefined
  return {
    state,
    wantsReply: bit(0),
    node,
    incarnation,
    counter,
    echo,
    ack,
    timing,
    fencing: bit(1),
    following: { epoch, coordinator },
    hears: bit(2),
    first: first === '' ? undefined : { node: first, blind: bit(7), heardMs },
    suspended: bit(3),
    settled: bit(4),
    rebalance: bit(5),
    blind: bit(6),
    backing,
    held,
    known,
    grantMs,
    orderAck,
  }
}

function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
