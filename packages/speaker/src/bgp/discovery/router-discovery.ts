/**
 * Router solicitations and advertisements (RFC 4861 §4.1, §4.2) as whole Ethernet frames: how the two ends of an
 * unnumbered session learn of each other's link-local address. Our advertisement asks nobody to route by us:
 * preference low (RFC 4191), no prefixes.
 */
import { type IP, ipBytes, ipFromBytes } from '@landfall/netip'

export interface HeardRouter {
  readonly address: IP
  /** 0: nobody's default router, or it is going. */
  readonly lifetimeSeconds: number
  /** It would rather have others taken (RFC 4191), as each of us. */
  readonly low: boolean
}

const ethernetLength = 14
const ipLength = 40
const advertisementLength = 16
const solicitationLength = 8
const type = 134
const solicitationType = 133
const icmpv6 = 58
const preferenceBits = 0x18
const lowPreference = 0x18
/** Groups of the link: ff02::1 and ff02::2. */
const allNodes = 1
const allRouters = 2

/** `address`: our link-local one on the interface. */
export function encodeAdvertisement(
  mac: Uint8Array,
  address: IP,
  lifetimeSeconds: number,
  preference = lowPreference,
): Uint8Array {
  const message = new Uint8Array(advertisementLength)
  message[0] = type
  message[5] = preference
  new DataView(message.buffer).setUint16(6, lifetimeSeconds)
  return encode(mac, address, allNodes, message)
}

/** Asks the routers of the link to advertise themselves now. */
export function encodeSolicitation(mac: Uint8Array, address: IP): Uint8Array {
  const message = new Uint8Array(solicitationLength)
  message[0] = solicitationType
  return encode(mac, address, allRouters, message)
}

/** The message, whose checksum is still 0, with the source link-layer address behind it. */
function encode(mac: Uint8Array, address: IP, group: number, message: Uint8Array): Uint8Array {
  const content = [...message, 1, 1, ...mac]
  const bytes = new Uint8Array(ethernetLength + ipLength + content.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x33, 0x33, 0, 0, 0, group])
  bytes.set(mac, 6)
  view.setUint16(12, 0x86dd)
  const ip = ethernetLength
  view.setUint8(ip, 0x6c)
  view.setUint16(ip + 4, content.length)
  view.setUint8(ip + 6, icmpv6)
  view.setUint8(ip + 7, 255)
  bytes.set(ipBytes(address), ip + 8)
  bytes.set([0xff, 2], ip + 24)
  view.setUint8(ip + 39, group)
  const body = ip + ipLength
  bytes.set(content, body)
  view.setUint16(body + 2, checksum(view, ip, body, content.length))
  return bytes
}

/** undefined: no router advertisement, or none that may be believed (§6.1.2). */
export function decodeAdvertisement(bytes: Uint8Array): HeardRouter | undefined {
  const ip = ethernetLength
  const body = ip + ipLength
  if (bytes.length < body + advertisementLength) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint16(ip + 4)
  if (view.getUint8(ip + 6) !== icmpv6 || view.getUint8(ip + 7) !== 255) return undefined
  if (length < advertisementLength || body + length > bytes.length) return undefined
  if (view.getUint8(body) !== type || view.getUint8(body + 1) !== 0) return undefined
  if (view.getUint16(ip + 8) >>> 6 !== 0xfe80 >>> 6 || checksum(view, ip, body, length) !== 0)
    return undefined
  const address = ipFromBytes(bytes.subarray(ip + 8, ip + 24))
  const low = (view.getUint8(body + 5) & preferenceBits) === lowPreference
  return address && { address, lifetimeSeconds: view.getUint16(body + 6), low }
}

/** Over the pseudo-header and the body; 0 for a body whose checksum is right. */
function checksum(view: DataView, ip: number, body: number, length: number): number {
  let sum = length + icmpv6
  for (let at = ip + 8; at < ip + ipLength; at += 2) sum += view.getUint16(at)
  for (let i = 0; i < length; i += 2) {
    sum += i + 1 < length ? view.getUint16(body + i) : view.getUint8(body + i) << 8
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
