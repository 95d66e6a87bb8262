/** ARP for IPv4 over Ethernet (RFC 826, RFC 5227): requests in, replies and gratuitous announcements out. */
import {
  type AddressKey,
  broadcastMac,
  ethertypeArp,
  ethertypeOf,
  headerLength,
  keyOfBytes,
  newFrame,
} from './ethernet.ts'

const arpLength = 28
const operationRequest = 1
const operationReply = 2
/** Ethernet, IPv4, lengths 6 and 4. */
const fixedPart = [0, 1, 0x08, 0, 6, 4]

export interface ArpRequest {
  readonly senderMac: Uint8Array
  readonly senderIP: Uint8Array
  readonly target: AddressKey
}

/**
 * undefined for whatever is no request that wants an answer: other operations, malformed frames, a group
 * address as sender, and another host's announcement of its own address (sender and target are the same).
 */
export function decodeArpRequest(frame: Uint8Array): ArpRequest | undefined {
  if (frame.length < headerLength + arpLength || ethertypeOf(frame) !== ethertypeArp) return undefined
  for (let i = 0; i < fixedPart.length; i++) if (frame[headerLength + i] !== fixedPart[i]) return undefined
  if (frame[20] !== 0 || frame[21] !== operationRequest) return undefined
  if (((frame[22] ?? 0) & 1) !== 0) return undefined
  const senderIP = frame.slice(28, 32)
  const target = frame.subarray(38, 42)
  if (senderIP.every((byte, i) => byte === target[i])) return undefined
  return { senderMac: frame.slice(22, 28), senderIP, target: keyOfBytes(target) }
}

export function encodeArpReply(mac: Uint8Array, ip: Uint8Array, to: ArpRequest): Uint8Array {
  return encode(operationReply, to.senderMac, mac, ip, to.senderMac, to.senderIP)
}

/** Asks the host for its MAC address, and tells it ours. */
export function encodeArpRequest(mac: Uint8Array, ip: Uint8Array, host: Uint8Array): Uint8Array {
  return encode(operationRequest, broadcastMac, mac, ip, new Uint8Array(6), host)
}

/** The pair that is broadcast on a takeover: hosts differ in whether they believe the request or the reply. */
export function encodeGratuitousArp(mac: Uint8Array, ip: Uint8Array): readonly Uint8Array[] {
  return [
    encode(operationRequest, broadcastMac, mac, ip, new Uint8Array(6), ip),
    encode(operationReply, broadcastMac, mac, ip, broadcastMac, ip),
  ]
}

function encode(
  operation: number,
  to: Uint8Array,
  mac: Uint8Array,
  ip: Uint8Array,
  targetMac: Uint8Array,
  targetIP: Uint8Array,
): Uint8Array {
  const frame = newFrame(to, mac, ethertypeArp, arpLength)
  frame.set(fixedPart, headerLength)
  frame[21] = operation
  frame.set(mac, 22)
  frame.set(ip, 28)
  frame.set(targetMac, 32)
  frame.set(targetIP, 38)
  return frame
}
