/** Addresses that Envoy listens on, and what it sets on their sockets. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AddressSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/address'
import {
  SocketOption_SocketState,
  type SocketOptionSchema,
} from '@envoyproxy/envoy-types/envoy/config/core/v3/socket_option'
import type { BindAddress, SocketMarks } from './options.ts'

export function socketAddress({ address, port }: BindAddress): MessageInitShape<typeof AddressSchema> {
  const value = {
    address,
    portSpecifier: { case: 'portValue' as const, value: port },
    ipv4Compat: address === '::',
  }
  return { address: { case: 'socketAddress', value } }
}

const SOL_SOCKET = 1n
const SO_KEEPALIVE = 9n
const IPPROTO_TCP = 6n
const TCP_KEEPIDLE = 4n
const TCP_KEEPINTVL = 5n
const TCP_KEEPCNT = 6n

/**
 * A peer that went away without a word is noticed after 45 s + 9 × 5 s. Envoy compares options with their descriptions: with
 * any but Contour's it binds a listener of Contour's anew, and who waits at the old socket is reset.
 */
export const keepalive: MessageInitShape<typeof SocketOptionSchema>[] = [
  option('Enable TCP keep-alive', SOL_SOCKET, SO_KEEPALIVE, 1n),
  option('TCP keep-alive initial idle time', IPPROTO_TCP, TCP_KEEPIDLE, 45n),
  option('TCP keep-alive time between probes', IPPROTO_TCP, TCP_KEEPINTVL, 5n),
  option('TCP keep-alive probe count', IPPROTO_TCP, TCP_KEEPCNT, 9n),
]

const IPPROTO_IP = 0n
const IP_TOS = 1n
const IPPROTO_IPV6 = 41n
const IPV6_TCLASS = 67n

/** A socket on `::` takes IPv4 too, and both marks; one on an IPv4 address has no traffic class. */
export function marks(
  { address }: BindAddress,
  { tos, trafficClass }: SocketMarks,
): MessageInitShape<typeof SocketOptionSchema>[] {
  const ipv6 = address.includes(':')
  return [
    ...(tos === 0 ? [] : [option('Set IPv4 TOS field', IPPROTO_IP, IP_TOS, BigInt(tos))]),
    ...(trafficClass === 0 || !ipv6
      ? []
      : [option('Set IPv6 Traffic Class field', IPPROTO_IPV6, IPV6_TCLASS, BigInt(trafficClass))]),
  ]
}

function option(description: string, level: bigint, name: bigint, value: bigint) {
  return {
    description,
    level,
    name,
    value: { case: 'intValue' as const, value },
    state: SocketOption_SocketState.STATE_LISTENING,
  }
}
