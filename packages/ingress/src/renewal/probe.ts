/** Asks a replica of the control plane, as an Envoy with the newest certificate would come to it. */
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js'
import { type PeersRequest, peersPath, readAnswer } from '../xds/peers.ts'
import type { Pair } from './material.ts'
import type { Replica } from './plan.ts'

export interface ProbeRequest extends PeersRequest {
  /** `host:port`. */
  readonly address: string
  /** PEM; any of them may have signed what the replica shows. */
  readonly authorities: readonly string[]
  readonly pair: Pair
}

const timeoutMs = 5000
const channelOptions: ChannelOptions = {
  'grpc.ssl_target_name_override': 'contour',
  'grpc.default_authority': 'contour',
  'grpc.use_local_subchannel_pool': 1,
}

export function probe({ address, authorities, pair, ...request }: ProbeRequest): Promise<Replica> {
  let shows: string | undefined
  const secure = credentials.createSsl(
    Buffer.from(authorities.join('')),
    Buffer.from(pair.key),
    Buffer.from(pair.certificate),
    {
      checkServerIdentity: (_host, certificate) => {
        shows = certificate.fingerprint256
        return undefined
      },
    },
  )
  const client = new Client(address, secure, channelOptions)
  const encode = (value: PeersRequest): Buffer => Buffer.from(JSON.stringify(value))
  return new Promise((resolve) => {
    const deadline = Date.now() + timeoutMs
    client.makeUnaryRequest(peersPath, encode, readAnswer, request, { deadline }, (error, answer) => {
      client.close()
      resolve({ trusts: error === null, shows, clients: answer?.clients ?? [] })
    })
  })
}
