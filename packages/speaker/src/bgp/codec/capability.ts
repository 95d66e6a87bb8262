/**
 * Capabilities of OPEN (RFC 5492): multiprotocol (4760), route refresh (2918, 7313), extended next hop (8950),
 * extended message (8654), graceful restart (4724, 8538), 4-octet AS (6793). Others are kept as bytes.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import type { AddressFamily } from './family.ts'

export interface ForwardingFamily extends AddressFamily {
  /** Forwarding state was kept over the restart. */
  readonly forwarding: boolean
}

export interface NextHopFamily extends AddressFamily {
  readonly nextHopAfi: number
}

export type Capability =
  | { readonly kind: 'multiprotocol'; readonly family: AddressFamily }
  | { readonly kind: 'routeRefresh' }
  | { readonly kind: 'extendedNextHop'; readonly families: readonly NextHopFamily[] }
  | { readonly kind: 'extendedMessage' }
  | {
      readonly kind: 'gracefulRestart'
      readonly restarting: boolean
      /** NOTIFICATION keeps routes too (RFC 8538). */
      readonly notification: boolean
      /** 0..4095 */
      readonly seconds: number
      readonly families: readonly ForwardingFamily[]
    }
  | { readonly kind: 'fourOctetAS'; readonly asn: number }
  | { readonly kind: 'enhancedRouteRefresh' }
  | { readonly kind: 'other'; readonly code: number; readonly data: Uint8Array }

const code = {
  multiprotocol: 1,
  routeRefresh: 2,
  extendedNextHop: 5,
  extendedMessage: 6,
  gracefulRestart: 64,
  fourOctetAS: 65,
  enhancedRouteRefresh: 70,
} as const

export function writeCapability(writer: ByteWriter, capability: Capability): void {
  const value = new ByteWriter(8)
  const type = writeValue(value, capability)
  writer.u8(type)
  writer.u8(value.length)
  writer.append(value.finish())
}

/** undefined if a capability runs past the end. One with a length it cannot have is kept as `other`. */
export function readCapabilities(bytes: Uint8Array): readonly Capability[] | undefined {
  const reader = new ByteReader(bytes)
  const capabilities: Capability[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()
    const data = reader.take(reader.u8())
    if (reader.overrun) return undefined
    capabilities.push(readValue(type, data) ?? { kind: 'other', code: type, data: data.slice() })
  }
  return capabilities
}

function writeValue(writer: ByteWriter, capability: Capability): number {
  switch (capability.kind) {
    case 'multiprotocol':
      writer.u16(capability.family.afi)
      writer.u16(capability.family.safi)
      return code.multiprotocol
    case 'extendedNextHop':
      for (const family of capability.families) {
        writer.u16(family.afi)
        writer.u16(family.safi)
        writer.u16(family.nextHopAfi)
      }
      return code.extendedNextHop
    case 'gracefulRestart':
      writer.u16(
        (capability.restarting ? 0x8000 : 0) | (capability.notification ? 0x4000 : 0) | capability.seconds,
      )
      for (const family of capability.families) {
        writer.u16(family.afi)
        writer.u8(family.safi)
        writer.u8(family.forwarding ? 0x80 : 0)
      }
      return code.gracefulRestart
    case 'fourOctetAS':
      writer.u32(capability.asn)
      return code.fourOctetAS
    case 'other':
      writer.append(capability.data)
      return capability.code
    default:
      return code[capability.kind]
  }
}

function readValue(type: number, data: Uint8Array): Capability | undefined {
  const reader = new ByteReader(data)
  switch (type) {
    case code.multiprotocol:
      if (data.length !== 4) return undefined
      return { kind: 'multiprotocol', family: { afi: reader.u16(), safi: reader.u16() & 0xff } }
    case code.routeRefresh:
      return data.length === 0 ? { kind: 'routeRefresh' } : undefined
    case code.extendedNextHop:
      return data.length % 6 === 0 ? { kind: 'extendedNextHop', families: readNextHops(reader) } : undefined
    case code.extendedMessage:
      return data.length === 0 ? { kind: 'extendedMessage' } : undefined
    case code.gracefulRestart:
      return data.length % 4 === 2 ? readGracefulRestart(reader) : undefined
    case code.fourOctetAS:
      return data.length === 4 ? { kind: 'fourOctetAS', asn: reader.u32() } : undefined
    case code.enhancedRouteRefresh:
      return data.length === 0 ? { kind: 'enhancedRouteRefresh' } : undefined
    default:
      return undefined
  }
}

function readNextHops(reader: ByteReader): readonly NextHopFamily[] {
  const families: NextHopFamily[] = []
  while (reader.remaining > 0) {
    families.push({ afi: reader.u16(), safi: reader.u16(), nextHopAfi: reader.u16() })
  }
  return families
}

function readGracefulRestart(reader: ByteReader): Capability {
  const head = reader.u16()
  const families: ForwardingFamily[] = []
  while (reader.remaining > 0) {
    families.push({ afi: reader.u16(), safi: reader.u8(), forwarding: (reader.u8() & 0x80) !== 0 })
  }
  return {
    kind: 'gracefulRestart',
    restarting: (head & 0x8000) !== 0,
    notification: (head & 0x4000) !== 0,
    seconds: head & 0x0fff,
    families,
  }
}
