/**
 * rtnetlink messages about links and addresses (rtnetlink(7)), decoded; everything else is skipped. Bytes that
 * are no message end the decoding of their datagram: nothing is read beyond a length that was checked.
 */
import { type IP, ipFromBytes } from '@landfall/netip'

export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300
const NLM_F_DUMP_INTR = 0x10

export interface Link {
  readonly index: number
  readonly name: string
  /** Six bytes for Ethernet. */
  readonly mac: Uint8Array
  /** ARPHRD_ETHER. */
  readonly ethernet: boolean
  readonly up: boolean
  /** Has a carrier. */
  readonly running: boolean
  /** How often it has got one: also a loss that was over before it could be told. */
  readonly carrierUps: number
  readonly broadcast: boolean
  readonly loopback: boolean
  readonly noArp: boolean
  /** Index of the bond, bridge or VRF it belongs to, else 0. */
  readonly master: number
}

export interface LinkAddress {
  readonly index: number
  readonly ip: IP
  readonly prefixLength: number
  /** Duplicate address detection has not ended, or has failed. */
  readonly tentative: boolean
  /** Another host has it: duplicate address detection has failed. */
  readonly duplicate: boolean
}

export type NetlinkMessage =
  | { readonly kind: 'link' | 'linkGone'; readonly link: Link }
  | { readonly kind: 'address' | 'addressGone'; readonly address: LinkAddress }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly errno: number }
  /** The dump raced with a change and has to be repeated. */
  | { readonly kind: 'interrupted' }

/** RTM_GETLINK or RTM_GETADDR for everything of every family. */
export function dumpRequest(type: typeof RTM_GETLINK | typeof RTM_GETADDR, sequence: number): Uint8Array {
  const bytes = new Uint8Array(type === RTM_GETLINK ? 32 : 24)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length, true)
  view.setUint16(4, type, true)
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true)
  view.setUint32(8, sequence, true)
  return bytes
}

export function decodeNetlink(bytes: Uint8Array): readonly NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: NetlinkMessage[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = view.getUint32(at, true)
    if (length < 16 || at + length > bytes.length) break
    if ((view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) messages.push({ kind: 'interrupted' })
    const message = decodeOne(view.getUint16(at + 4, true), bytes.subarray(at + 16, at + length))
    if (message !== undefined) messages.push(message)
    at += align(length)
  }
  return messages
}

function decodeOne(type: number, body: Uint8Array): NetlinkMessage | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  switch (type) {
    case NLMSG_DONE:
      return { kind: 'done' }
    case NLMSG_ERROR:
      return body.length < 4 ? undefined : { kind: 'error', errno: -view.getInt32(0, true) }
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const link = decodeLink(view, body)
      return link === undefined ? undefined : { kind: type === RTM_NEWLINK ? 'link' : 'linkGone', link }
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = decodeAddress(view, body)
      if (address === undefined) return undefined
      return { kind: type === RTM_NEWADDR ? 'address' : 'addressGone', address }
    }
    default:
      return undefined
  }
}

/** struct ifinfomsg. A message of family AF_BRIDGE tells of a bridge port, not of the link: skipped. */
function decodeLink(view: DataView, body: Uint8Array): Link | undefined {
  if (body.length < 16 || body[0] !== 0) return undefined
  const flags = view.getUint32(8, true)
  const attributes = decodeAttributes(body.subarray(16))
  const name = attributes.get(3)
  if (name === undefined) return undefined
  const has = (flag: number): boolean => (flags & flag) !== 0
  return {
    index: view.getInt32(4, true),
    name: Buffer.from(name).toString().replace(/\0.*$/s, ''),
    mac: Uint8Array.from(attributes.get(1) ?? []),
    ethernet: view.getUint16(2, true) === 1,
    up: has(0x1),
    running: has(0x40),
    carrierUps: uint32(attributes.get(47)),
    broadcast: has(0x2),
    loopback: has(0x8),
    noArp: has(0x80),
    master: uint32(attributes.get(10)),
  }
}

/** struct ifaddrmsg. IFA_LOCAL is the address itself on point-to-point links, where IFA_ADDRESS is the peer's. */
function decodeAddress(view: DataView, body: Uint8Array): LinkAddress | undefined {
  if (body.length < 8) return undefined
  const attributes = decodeAttributes(body.subarray(8))
  const ip = ipFromBytes(attributes.get(2) ?? attributes.get(1) ?? new Uint8Array())
  if (ip === undefined) return undefined
  const flags = attributes.has(8) ? uint32(attributes.get(8)) : (body[2] ?? 0)
  return {
    index: view.getUint32(4, true),
    ip,
    prefixLength: body[1] ?? 0,
    tentative: (flags & (0x40 | 0x08)) !== 0,
    duplicate: (flags & 0x08) !== 0,
  }
}

function decodeAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const attributes = new Map<number, Uint8Array>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true)
    if (length < 4 || at + length > bytes.length) break
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length))
    at += align(length)
  }
  return attributes
}

function uint32(bytes: Uint8Array | undefined): number {
  if (bytes === undefined || bytes.length < 4) return 0
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
}

function align(length: number): number {
  return (length + 3) & ~3
}
