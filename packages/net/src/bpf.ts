/** Classic BPF programs for packet sockets: only neighbour requests that this host was sent leave the kernel. */

interface Instruction {
  readonly code: number
  readonly k: number
  /** Instructions skipped when a jump's condition holds, and when it does not. */
  readonly yes?: number
  readonly no?: number
}

const loadByte = 0x30
const loadHalf = 0x28
const jumpIfEqual = 0x15
const accept = { code: 0x06, k: 0xffff }
const drop = { code: 0x06, k: 0 }
/** SKF_AD_OFF + SKF_AD_PKTTYPE, and the type of a frame to another host (promiscuous mode, unknown VLAN). */
const packetType = 0xfffff004
const packetOtherHost = 3

/** ARP requests (RFC 826), on a socket of ethertype 0x0806. */
export const arpRequests: Uint8Array = assemble([
  { code: loadByte, k: packetType },
  { code: jumpIfEqual, k: packetOtherHost, yes: 2 },
  { code: loadHalf, k: 20 },
  { code: jumpIfEqual, k: 1, yes: 1 },
  drop,
  accept,
])

/** Neighbor solicitations (RFC 4861 §4.3) without extension headers, on a socket of ethertype 0x86dd. */
export const neighborSolicitations: Uint8Array = assemble([
  { code: loadByte, k: packetType },
  { code: jumpIfEqual, k: packetOtherHost, yes: 4 },
  { code: loadByte, k: 20 },
  { code: jumpIfEqual, k: 58, no: 2 },
  { code: loadByte, k: 54 },
  { code: jumpIfEqual, k: 135, yes: 1 },
  drop,
  accept,
])

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
