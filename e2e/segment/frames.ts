/**
 * ARP (RFC 826) and neighbour discovery (RFC 4861) as the segment's observer speaks them: questions out, and of any
 * frame who says that an address is his. Pure, and written apart from the speaker's own codec, which it judges.
 */
import { formatIP, type IP, ipBytes, ipFromBytes } from '@landfall/netip'

export const ethertypeArp = 0x0806
export const ethertypeIPv6 = 0x86dd

export interface Saying {
  readonly ip: string
  readonly mac: string
  /** Said to the one who asked, or unasked to everybody. */
  readonly kind: 'answer' | 'announcement'
}

/** Somebody who is on no LAN but for who answers it: nobody else's cache hears the answers to these questions. */
const asker = {
  mac: Uint8Array.of(0x02, 0x4c, 0x46, 0, 0, 0x99),
  ipv4: Uint8Array.of(192, 168, 77, 199),
  ipv6: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x4c, 0x46, 0xff, 0xfe, 0, 0, 0x99),
} as const
const arpHeader = [0, 1, 0x08, 0, 6, 4, 0]
const [icmpSolicitation, icmpAdvertisement] = [135, 136]

/** Whether the frame asks or claims; others cost no further look. */
export function sayingOf(frame: Uint8Array): Saying | undefined {
  const ethertype = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0)
  if (ethertype === ethertypeArp) return arpSaying(frame)
  if (ethertype === ethertypeIPv6) return advertisementSaying(frame)
  return undefined
}

export function question(ip: IP): Uint8Array {
  const target = ipBytes(ip)
  return ip.family === 4 ? arpRequest(target) : solicitation(target)
}

/**
 * To a solicitation for the asker itself, which comes from who answers it over a socket, as MetalLB does by NDP: its kernel
 * has to know where the asker is.
 */
export function whereAsker(frame: Uint8Array): Uint8Array | undefined {
  const isIPv6 = frame.length >= 78 && frame[12] === 0x86 && frame[13] === 0xdd
  if (!isIPv6 || frame[20] !== 58 || frame[54] !== icmpSolicitation) return undefined
  if (Buffer.compare(frame.subarray(62, 78), asker.ipv6) !== 0) return undefined
  const advertisement = [icmpAdvertisement, 0, 0, 0, 0x60, 0, 0, 0, ...asker.ipv6, 2, 1, ...asker.mac]
  return icmp(frame.subarray(6, 12), frame.subarray(22, 38), advertisement)
}

function arpSaying(frame: Uint8Array): Saying | undefined {
  if (frame.length < 42) return undefined
  const [operation, sender, target] = [frame[21], frame.subarray(28, 32), frame.subarray(38, 42)]
  const gratuitous = Buffer.compare(sender, target) === 0
  if (operation === 1 && !gratuitous) return undefined
  const toEverybody = gratuitous || isGroup(frame)
  return saying(sender, frame.subarray(22, 28), toEverybody ? 'announcement' : 'answer')
}

function advertisementSaying(frame: Uint8Array): Saying | undefined {
  if (frame.length < 86 || frame[20] !== 58 || frame[54] !== icmpAdvertisement) return undefined
  const solicited = ((frame[58] ?? 0) & 0x40) !== 0
  // The option of the target's link-layer address; without one the frame's own sender has it.
  const mac = frame[78] === 2 && frame[79] === 1 ? frame.subarray(80, 86) : frame.subarray(6, 12)
  return saying(frame.subarray(62, 78), mac, solicited ? 'answer' : 'announcement')
}

function saying(ip: Uint8Array, mac: Uint8Array, kind: Saying['kind']): Saying | undefined {
  const parsed = ipFromBytes(ip)
  return parsed === undefined ? undefined : { ip: formatIP(parsed), mac: macText(mac), kind }
}

function isGroup(frame: Uint8Array): boolean {
  return ((frame[0] ?? 0) & 1) === 1
}

function macText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}

function arpRequest(target: Uint8Array): Uint8Array {
  const frame = ethernet(new Uint8Array(6).fill(0xff), ethertypeArp, 28)
  frame.set([...arpHeader, 1, ...asker.mac, ...asker.ipv4, 0, 0, 0, 0, 0, 0, ...target], 14)
  return frame
}

function solicitation(target: Uint8Array): Uint8Array {
  const low = target.subarray(13)
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...low)
  const message = [icmpSolicitation, 0, 0, 0, 0, 0, 0, 0, ...target, 1, 1, ...asker.mac]
  return icmp(Uint8Array.of(0x33, 0x33, 0xff, ...low), group, message)
}

/** @param message of neighbour discovery, its checksum 0 */
function icmp(mac: Uint8Array, to: Uint8Array, message: readonly number[]): Uint8Array {
  const frame = ethernet(mac, ethertypeIPv6, 40 + message.length)
  frame.set([0x60, 0, 0, 0, 0, message.length, 58, 255, ...asker.ipv6, ...to, ...message], 14)
  const sum = checksum(frame)
  frame.set([sum >> 8, sum & 0xff], 56)
  return frame
}

function ethernet(to: Uint8Array, ethertype: number, payload: number): Uint8Array {
  const frame = new Uint8Array(14 + payload)
  frame.set([...to, ...asker.mac, ethertype >> 8, ethertype & 0xff])
  return frame
}

/** ICMPv6 (RFC 4443 §2.3): over the addresses, the length, the protocol and the message. */
function checksum(frame: Uint8Array): number {
  const message = frame.subarray(54)
  let sum = message.length + 58
  for (const part of [frame.subarray(22, 54), message])
    for (let i = 0; i < part.length; i += 2) sum += ((part[i] ?? 0) << 8) | (part[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
