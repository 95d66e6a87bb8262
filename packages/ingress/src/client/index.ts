/**
 * `landfall cli cds|eds|lds|rds|sds`: follows one type of the control plane as an Envoy would, and prints each response
 * as JSON. In: where the control plane is, and what to ask for. Out: a line of JSON a response, without private keys.
 */
import { readFile } from 'node:fs/promises'
import { type ChannelOptions, Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import type { ResourceType } from '../xds/resource.ts'
import { Conversation } from './conversation.ts'

export interface ClientOptions {
  readonly type: Exclude<ResourceType, 'scopes' | 'runtime'>
  /** `host:port`. */
  readonly server: string
  /** undefined: without TLS. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string } | undefined
  readonly delta: boolean
  /** Refuse every response. */
  readonly nack: boolean
  readonly nodeId: string
  /** Empty: all. */
  readonly names: readonly string[]
  readonly signal: AbortSignal
  readonly print: (line: string) => void
}

const methods: Readonly<
  Record<ClientOptions['type'], { readonly service: string; readonly subject: string }>
> = {
  clusters: { service: 'envoy.service.cluster.v3.ClusterDiscoveryService', subject: 'Clusters' },
  endpoints: { service: 'envoy.service.endpoint.v3.EndpointDiscoveryService', subject: 'Endpoints' },
  listeners: { service: 'envoy.service.listener.v3.ListenerDiscoveryService', subject: 'Listeners' },
  routes: { service: 'envoy.service.route.v3.RouteDiscoveryService', subject: 'Routes' },
  secrets: { service: 'envoy.service.secret.v3.SecretDiscoveryService', subject: 'Secrets' },
}

/** The name in the certificate of every control plane of Envoys in a cluster. */
const serverName = 'contour'

/** Resolves when the signal ends it; rejects when the connection cannot be had, or breaks. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { type, delta, signal } = options
  const channel = new Client(options.server, await credentialsOf(options), channelOptions)
  const { service, subject } = methods[type]
  const path = `/${service}/${delta ? 'Delta' : 'Stream'}${subject}`
  const bytes = (buffer: Buffer) => buffer
  const call = channel.makeBidiStreamRequest(path, bytes, bytes)
  const abort = (): void => call.cancel()
  signal.addEventListener('abort', abort, { once: true })
  try {
    await converse(call, options)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', abort)
    channel.close()
  }
}

const channelOptions: ChannelOptions = {
  'grpc.ssl_target_name_override': serverName,
  'grpc.default_authority': serverName,
  'grpc.max_receive_message_length': -1,
}

async function credentialsOf({ tls }: ClientOptions) {
  if (tls === undefined) return credentials.createInsecure()
  const [ca, key, certificate] = await Promise.all([
    readFile(tls.ca),
    readFile(tls.key),
    readFile(tls.certificate),
  ])
  return credentials.createSsl(ca, key, certificate)
}

function converse(call: ClientDuplexStream<Buffer, Buffer>, options: ClientOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const conversation = new Conversation(options)
    call.on('error', reject)
    call.on('end', () => resolve())
    call.on('data', (answer: Buffer) => {
      const { shown, reply } = conversation.take(answer)
      options.print(JSON.stringify(shown))
      call.write(reply)
    })
    call.write(conversation.first())
  })
}
