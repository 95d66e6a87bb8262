/**
 * Neighbor Discovery for IPv6 over Ethernet (RFC 4861 §4.3, §4.4, §7.2): solicitations in, solicited and
 * unsolicited advertisements out, and solicitations of our own. Solicited advertisements leave Override off, unsolicited
 * ones set it.
 */
import {
  type AddressKey,
  ethertypeIPv6,
  ethertypeOf,
  headerLength,
  keyOfBytes,
  newFrame,
} from './ethernet.ts'

const ipLength = 40
const icmpAt = headerLength + ipLength
const solicitationLength = 24
/** With one option. */
const messageLength = 32
const nextHeaderIcmp = 58
const typeSolicitation = 135
const typeAdvertisement = 136
const hopLimit = 255
const optionSourceLink = 1
const optionTargetLink = 2
const flagSolicited = 0x40
const flagOverride = 0x20
const allNodes = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

export interface NeighborSolicitation {
  /** undefined: the unspecified address, a probe for a duplicate (RFC 4862 §5.4). */
  readonly senderIP: Uint8Array | undefined
  /** Link-layer address to answer to: the option's, or the frame's source when a unicast one carries none. */
  readonly senderMac: Uint8Array
  readonly target: AddressKey
}

/** undefined for whatever RFC 4861 §7.1.1 tells to discard. */
export function decodeNeighborSolicitation(frame: Uint8Array): NeighborSolicitation | undefined {
  if (frame.length < icmpAt + solicitationLength || ethertypeOf(frame) !== ethertypeIPv6) return undefined
  if ((frame[14] ?? 0) >> 4 !== 6 || frame[20] !== nextHeaderIcmp || frame[21] !== hopLimit) return undefined
  const length = ((frame[18] ?? 0) << 8) | (frame[19] ?? 0)
  if (length < solicitationLength || frame.length < icmpAt + length) return undefined
  const icmp = frame.subarray(icmpAt, icmpAt + length)
  if (icmp[0] !== typeSolicitation || icmp[1] !== 0 || icmp[8] === 0xff) return undefined
  const source = frame.subarray(22, 38)
  const destination = frame.subarray(38, 54)
  if (checksum(source, destination, icmp) !== 0) return undefined
  const options = sourceLinkOption(icmp.subarray(solicitationLength))
  if (options === undefined) return undefined
  const target = keyOfBytes(icmp.subarray(8, 24))
  if (source.every((byte) => byte === 0)) {
    const probe = options.mac === undefined && isSolicitedNode(destination)
    return probe ? { senderIP: undefined, senderMac: frame.slice(6, 12), target } : undefined
  }
  if (options.mac === undefined && destination[0] === 0xff) return undefined
  return { senderIP: source.slice(), senderMac: options.mac ?? frame.slice(6, 12), target }
}

/** The answer to a probe goes to all nodes. */
export function encodeNeighborAdvertisement(
  mac: Uint8Array,
  to: NeighborSolicitation,
  target: Uint8Array,
): Uint8Array {
  if (to.senderIP === undefined) return encodeUnsolicitedAdvertisement(mac, target)
  // From the target itself, as a kernel that has the address does: some receivers compare the two.
  return encode(to.senderMac, mac, target, to.senderIP, advertisement(mac, flagSolicited, target))
}

export function encodeUnsolicitedAdvertisement(mac: Uint8Array, target: Uint8Array): Uint8Array {
  return encode(groupMac(allNodes), mac, target, allNodes, advertisement(mac, flagOverride, target))
}

/** Asks the host for its MAC address, and tells it ours. */
export function encodeNeighborSolicitation(mac: Uint8Array, ip: Uint8Array, host: Uint8Array): Uint8Array {
  const group = solicitedNodeGroup(host)
  return encode(groupMac(group), mac, ip, group, message(typeSolicitation, 0, host, optionSourceLink, mac))
}

/** ff02::1:ffXX:XXXX of the address (RFC 4291 §2.7.1). */
export function solicitedNodeGroup(ip: Uint8Array): Uint8Array {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0)
  group.set(ip.subarray(13, 16), 13)
  return group
}

function isSolicitedNode(ip: Uint8Array): boolean {
  return keyOfBytes(ip) === keyOfBytes(solicitedNodeGroup(ip))
}

/** undefined: malformed options, the message is discarded. */
function sourceLinkOption(options: Uint8Array): { readonly mac: Uint8Array | undefined } | undefined {
  let mac: Uint8Array | undefined
  for (let at = 0; at < options.length; ) {
    const length = (options[at + 1] ?? 0) * 8
    if (length === 0 || at + length > options.length) return undefined
    if (options[at] === optionSourceLink && length === 8) mac = options.slice(at + 2, at + 8)
    at += length
  }
  return mac !== undefined && ((mac[0] ?? 0) & 1) !== 0 ? undefined : { mac }
}

function groupMac(group: Uint8Array): Uint8Array {
  return Uint8Array.of(0x33, 0x33, ...group.subarray(12))
}

function advertisement(mac: Uint8Array, flags: number, target: Uint8Array): Uint8Array {
  return message(typeAdvertisement, flags, target, optionTargetLink, mac)
}

/** Without its checksum. */
function message(
  type: number,
  flags: number,
  target: Uint8Array,
  option: number,
  mac: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(messageLength)
  bytes[0] = type
  bytes[4] = flags
  bytes.set(target, 8)
  bytes[24] = option
  bytes[25] = 1
  bytes.set(mac, 26)
  return bytes
}

function encode(
  toMac: Uint8Array,
  mac: Uint8Array,
  from: Uint8Array,
  to: Uint8Array,
  icmp: Uint8Array,
): Uint8Array {
  const frame = newFrame(toMac, mac, ethertypeIPv6, ipLength + icmp.length)
  frame[14] = 0x60
  frame[19] = icmp.length
  frame[20] = nextHeaderIcmp
  frame[21] = hopLimit
  frame.set(from, 22)
  frame.set(to, 38)
  frame.set(icmp, icmpAt)
  const sum = checksum(from, to, icmp)
  frame[icmpAt + 2] = sum >> 8
  frame[icmpAt + 3] = sum & 0xff
  return frame
}

/** The ICMPv6 checksum (RFC 4443 §2.3); 0 over a message that carries the right one. */
export function checksum(source: Uint8Array, destination: Uint8Array, icmp: Uint8Array): number {
  let sum = icmp.length + nextHeaderIcmp
  for (const bytes of [source, destination, icmp])
    for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
