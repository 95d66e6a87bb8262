/**
 * BFD echo over IPv4 (RFC 5881 §4): an Ethernet frame for the peer's MAC address that carries a UDP datagram from
 * this host to this host, port 3785, so that the peer's forwarding plane sends it back. What is in the datagram is
 * ours alone: the session's discriminator and the packet's number.
 */

export interface EchoAddresses {
  readonly ownMac: Uint8Array
  readonly peerMac: Uint8Array
  /** 4 bytes, source and destination alike. */
  readonly ownIp: Uint8Array
}

export interface EchoFrame {
  readonly discriminator: number
  readonly sequence: number
}

const ethernetLength = 14
const ipLength = 20
const udpLength = 8
const payloadLength = 12
const port = 3785
/** Tells our echoes from those of others. */
const mark = 0x6c616e64
const sourcePort = 3785

export function encodeEcho({ ownMac, peerMac, ownIp }: EchoAddresses, echo: EchoFrame): Uint8Array {
  const bytes = new Uint8Array(ethernetLength + ipLength + udpLength + payloadLength)
  const view = new DataView(bytes.buffer)
  bytes.set(peerMac, 0)
  bytes.set(ownMac, 6)
  view.setUint16(12, 0x0800)
  const ip = ethernetLength
  view.setUint16(ip, 0x45c0)
  view.setUint16(ip + 2, ipLength + udpLength + payloadLength)
  view.setUint16(ip + 6, 0x4000)
  view.setUint8(ip + 8, 255)
  view.setUint8(ip + 9, 17)
  bytes.set(ownIp, ip + 12)
  bytes.set(ownIp, ip + 16)
  view.setUint16(ip + 10, checksum(view, ip, ipLength))
  const udp = ip + ipLength
  view.setUint16(udp, sourcePort)
  view.setUint16(udp + 2, port)
  view.setUint16(udp + 4, udpLength + payloadLength)
  // No UDP checksum: IPv4 allows that, and the discriminator tells a broken one.
  view.setUint32(udp + 8, mark)
  view.setUint32(udp + 12, echo.discriminator)
  view.setUint32(udp + 16, echo.sequence)
  return bytes
}

/** The echo in an Ethernet frame of IPv4; undefined: it is none of ours. */
export function decodeEcho(bytes: Uint8Array): EchoFrame | undefined {
  const ip = ethernetLength
  if (bytes.length < ip + ipLength) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = view.getUint8(ip)
  const udp = ip + (head & 0xf) * 4
  if (head >>> 4 !== 4 || udp < ip + ipLength || view.getUint8(ip + 9) !== 17) return undefined
  if (bytes.length < udp + udpLength + payloadLength) return undefined
  if (view.getUint16(udp + 2) !== port || view.getUint32(udp + 8) !== mark) return undefined
  return { discriminator: view.getUint32(udp + 12), sequence: view.getUint32(udp + 16) }
}

function checksum(view: DataView, start: number, length: number): number {
  let sum = 0
  for (let at = start; at < start + length; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
