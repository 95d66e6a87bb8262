/** What messages between speakers carry beside their header; addresses go as length and bytes. */
import type { ByteReader, ByteWriter } from './bytes.ts'
import { type AddressKey, bytesOfKey, keyOfBytes } from './ethernet.ts'

/** Why an address changes its owner. The order is that of the wire. */
export const changeReasons = [
  /** Nobody had it. */
  'placed',
  /** Its owner was not heard any more. */
  'ownerDead',
  /** Its owner gave it up as it ended, or has started anew. */
  'ownerLeft',
  /** Its owner may not announce it any more. */
  'ownerNotEligible',
  /** The advertisements prefer another node. */
  'preferred',
  /** Addresses are spread anew. */
  'rebalanced',
  /** Two nodes had it, as after a partition: one keeps it, and announces itself. */
  'conflict',
  /** It stays on one node with others, as those of one Service do. */
  'grouped',
] as const
export type ChangeReason = (typeof changeReasons)[number]

export type Body =
  /** From the coordinator: carried out at once, in sequence, and confirmed by the header of the answer. */
  | {
      readonly kind: 'order'
      /** From 1 in each epoch, for each receiver. */
      readonly sequence: number
      readonly reason: ChangeReason
      /** How long nobody had answered when it was sent, in ms; 0 for a planned move. */
      readonly silentMs: number
      readonly release: readonly AddressKey[]
      readonly take: readonly AddressKey[]
    }
  /** What an order changed, to those that stand by. */
  | {
      readonly kind: 'delta'
      readonly from: bigint
      readonly to: bigint
      readonly removed: readonly AddressKey[]
      readonly added: readonly AddressKey[]
    }
  | { readonly kind: 'inquire'; readonly part: number }
  /** One part of all that the sender holds; the digest is that of all parts. */
  | {
      readonly kind: 'claims'
      readonly digest: bigint
      readonly part: number
      readonly parts: number
      readonly addresses: readonly AddressKey[]
    }
  /** The last word of one that coordinated: nobody else may hold anything. Digests of node names. */
  | { readonly kind: 'testament'; readonly holders: readonly bigint[] }

const kinds = ['none', 'order', 'delta', 'inquire', 'claims', 'testament'] as const
/** Of addresses in one message. */
export const addressBudget = 900
/** In a testament. */
export const mostHolders = 120

/** As many of the addresses, from the start, as fit into what is left of a message. */
export function fitting(addresses: readonly AddressKey[], start: number, budget = addressBudget): number {
  let [used, end] = [0, start]
  while (end < addresses.length) {
    used += 1 + (addresses[end]?.length ?? 0)
    if (used > budget) break
    end++
  }
  return end - start
}

export function encodeBody(body: Body | undefined, writer: ByteWriter): void {
  writer.uint(kinds.indexOf(body?.kind ?? 'none'), 1)
  switch (body?.kind) {
    case 'order':
      writer.uint(body.sequence, 4).uint(changeReasons.indexOf(body.reason), 1)
      writer.uint(Math.min(0xffffffff, Math.round(body.silentMs)), 4)
      writeAddresses(body.release, writer)
      return writeAddresses(body.take, writer)
    case 'delta':
      writer.uint64(body.from).uint64(body.to)
      writeAddresses(body.removed, writer)
      return writeAddresses(body.added, writer)
    case 'inquire':
      writer.uint(body.part, 2)
      return
    case 'claims':
      writer.uint64(body.digest).uint(body.part, 2).uint(body.parts, 2)
      return writeAddresses(body.addresses, writer)
    case 'testament':
      writer.uint(body.holders.length, 1)
      for (const holder of body.holders) writer.uint64(holder)
      return
    default:
  }
}

export function decodeBody(reader: ByteReader): Body | undefined | 'malformed' {
  const kind = kinds[reader.uint(1)]
  if (kind === undefined || !reader.ok) return 'malformed'
  if (kind === 'none') return undefined
  const body = readBody(kind, reader)
  return body === undefined || !reader.ok ? 'malformed' : body
}

function readBody(kind: Body['kind'], reader: ByteReader): Body | undefined {
  switch (kind) {
    case 'order': {
      const sequence = reader.uint(4)
      const reason = changeReasons[reader.uint(1)]
      if (reason === undefined) return undefined
      const silentMs = reader.uint(4)
      return { kind, sequence, reason, silentMs, release: readAddresses(reader), take: readAddresses(reader) }
    }
    case 'delta': {
      const [from, to] = [reader.uint64(), reader.uint64()]
      return { kind, from, to, removed: readAddresses(reader), added: readAddresses(reader) }
    }
    case 'inquire':
      return { kind, part: reader.uint(2) }
    case 'claims': {
      const [digest, part, parts] = [reader.uint64(), reader.uint(2), reader.uint(2)]
      return { kind, digest, part, parts, addresses: readAddresses(reader) }
    }
    case 'testament':
      return { kind, holders: Array.from({ length: reader.uint(1) }, () => reader.uint64()) }
    default:
      return undefined
  }
}

function writeAddresses(addresses: readonly AddressKey[], writer: ByteWriter): void {
  writer.uint(addresses.length, 2)
  for (const address of addresses) writer.uint(address.length, 1).raw(bytesOfKey(address))
}

function readAddresses(reader: ByteReader): readonly AddressKey[] {
  const addresses: AddressKey[] = []
  for (let left = reader.uint(2); left > 0 && reader.ok; left--) {
    const length = reader.uint(1)
    // An address of another length makes the whole malformed: reading beyond the end says so.
    addresses.push(keyOfBytes(reader.raw(length === 4 || length === 16 ? length : Number.MAX_SAFE_INTEGER)))
  }
  return addresses
}
