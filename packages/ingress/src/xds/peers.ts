/**
 * A small service of the xDS server beside Envoy's own: one replica of the control plane asks another which
 * certificates its Envoys show, and to let go those that still show an old one, so that they come back with the new.
 * JSON on the wire. Served like a stream: over the same mutual TLS, to the same names.
 */
import type { ServiceDefinition } from '@grpc/grpc-js'

export const peersPath = '/landfall.xds.v1.Peers/Show'

export interface PeersRequest {
  /** Lets every connection go unless all Envoys show this; SHA-256 in hex with colons. */
  readonly letGoUnless?: string
}

export interface PeersAnswer {
  /** What each Envoy showed when it connected. */
  readonly clients: readonly string[]
}

const encode = (value: object): Buffer => Buffer.from(JSON.stringify(value))

export const peersService: ServiceDefinition = {
  Show: {
    path: peersPath,
    requestStream: false,
    responseStream: false,
    requestSerialize: encode,
    requestDeserialize: readRequest,
    responseSerialize: encode,
    responseDeserialize: readAnswer,
  },
}

export function readRequest(bytes: Buffer): PeersRequest {
  const letGoUnless = field(bytes, 'letGoUnless')
  return typeof letGoUnless === 'string' ? { letGoUnless } : {}
}

export function readAnswer(bytes: Buffer): PeersAnswer {
  const clients = field(bytes, 'clients')
  return { clients: Array.isArray(clients) ? clients.filter((one) => typeof one === 'string') : [] }
}

function field(bytes: Buffer, name: string): unknown {
  const value: unknown = JSON.parse(bytes.toString('utf8'))
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
