/** Classic BPF programs: what of a socket's packets leaves the kernel. */
import { type Family, type IP, ipBytes } from '@landfall/netip'

interface Instruction {
  readonly code: number
  readonly k: number
  /** Instructions skipped when a jump's condition holds, and when it does not. */
  readonly yes?: number
  readonly no?: number
}

const loadWord = 0x20
const loadByte = 0x30
const loadHalf = 0x28
/** At X + k. */
const loadHalfIndexed = 0x48
/** X = the length of the IPv4 header at k. */
const loadHeaderLength = 0xb1
const jumpIfEqual = 0x15
const jumpIfAtLeast = 0x35
const jumpIfAnySet = 0x45
const accept = { code: 0x06, k: 0xffff }
const drop = { code: 0x06, k: 0 }
/** SKF_AD_OFF + SKF_AD_PKTTYPE, and the type of a frame to another host (promiscuous mode, unknown VLAN). */
const packetType = 0xfffff004
const packetOtherHost = 3
/** SKF_AD_OFF + SKF_AD_IFINDEX. */
const packetInterface = 0xfffff008
const interfacesTold = 200
/** SKF_NET_OFF: offsets from here count from the IP header. */
const networkHeader = 0xfff00000

/** ARP requests (RFC 826) on those interfaces, on a ring of ethertype 0x0806. */
export function arpRequests(interfaces: readonly number[]): Uint8Array {
  return assemble([
    ...onInterfaces(interfaces),
    { code: loadByte, k: packetType },
    { code: jumpIfEqual, k: packetOtherHost, yes: 2 },
    { code: loadHalf, k: 20 },
    { code: jumpIfEqual, k: 1, yes: 1 },
    drop,
    accept,
  ])
}

/**
 * Neighbor solicitations (RFC 4861 §4.3) without extension headers on those interfaces, on a ring of ethertype
 * 0x86dd.
 */
export function neighborSolicitations(interfaces: readonly number[]): Uint8Array {
  return assemble([
    ...onInterfaces(interfaces),
    { code: loadByte, k: packetType },
    { code: jumpIfEqual, k: packetOtherHost, yes: 4 },
    { code: loadByte, k: 20 },
    { code: jumpIfEqual, k: 58, no: 2 },
    { code: loadByte, k: 54 },
    { code: jumpIfEqual, k: 135, yes: 1 },
    drop,
    accept,
  ])
}

/** Goes on only with what came in on one of them; with more than a jump can cross, with everything. */
function onInterfaces(interfaces: readonly number[]): readonly Instruction[] {
  if (interfaces.length > interfacesTold) return []
  return [
    { code: loadWord, k: packetInterface },
    ...interfaces.map((k, i) => ({ code: jumpIfEqual, k, yes: interfaces.length - i })),
    drop,
  ]
}

/** Router advertisements (RFC 4861 §4.2) without extension headers, on a packet socket of ethertype 0x86dd. */
export const routerAdvertisements: Uint8Array = assemble([
  { code: loadByte, k: 20 },
  { code: jumpIfEqual, k: 58, no: 2 },
  { code: loadByte, k: 54 },
  { code: jumpIfEqual, k: 134, yes: 1 },
  drop,
  accept,
])

/** BFD echoes (RFC 5881 §4), UDP port 3785 over IPv4, on a packet socket of ethertype 0x0800. */
export const bfdEchoes: Uint8Array = assemble([
  { code: loadByte, k: 23 },
  { code: jumpIfEqual, k: 17, no: 5 },
  { code: loadHalf, k: 20 },
  { code: jumpIfAnySet, k: 0x1fff, yes: 3 },
  { code: loadHeaderLength, k: 14 },
  { code: loadHalfIndexed, k: 16 },
  { code: jumpIfEqual, k: 3785, yes: 1 },
  drop,
  accept,
])

export interface AllowedSender {
  readonly ip: IP
  /** Packets that arrive with a lower TTL or hop limit are dropped: the sender is further away (RFC 5082). */
  readonly minTtl: number
}

/** On a UDP socket of that family: only datagrams of these senders, with the TTL that is asked of each. */
export function allowedSenders(family: Family, senders: readonly AllowedSender[]): Uint8Array {
  const [ttlAt, sourceAt] = family === 4 ? [8, 12] : [7, 8]
  const blocks = senders.flatMap(({ ip, minTtl }) => {
    const words = wordsOf(ip)
    return [
      ...words.flatMap((word, i) => [
        { code: loadWord, k: networkHeader + sourceAt + 4 * i },
        // Past the rest of this sender's instructions.
        { code: jumpIfEqual, k: word, no: 2 * (words.length - 1 - i) + 3 },
      ]),
      { code: loadByte, k: networkHeader + ttlAt },
      { code: jumpIfAtLeast, k: minTtl, no: 1 },
      accept,
    ]
  })
  return assemble([...blocks, drop])
}

function wordsOf(ip: IP): readonly number[] {
  const view = new DataView(ipBytes(ip).buffer)
  return Array.from({ length: view.byteLength / 4 }, (_, i) => view.getUint32(4 * i))
}

/** struct sock_filter for each instruction, in memory that is not moved or pooled. */
function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(program.length * 8)
  for (const [i, instruction] of program.entries()) {
    bytes.writeUInt16LE(instruction.code, i * 8)
    bytes.writeUInt8(instruction.yes ?? 0, i * 8 + 2)
    bytes.writeUInt8(instruction.no ?? 0, i * 8 + 3)
    bytes.writeUInt32LE(instruction.k, i * 8 + 4)
  }
  return bytes
}
