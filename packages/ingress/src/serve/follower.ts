/** For tests: a client of `serve` that follows one type by delta ADS, and takes or refuses what comes. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type Resource,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { Client, credentials } from '@grpc/grpc-js'
import { type ResourceType, typeUrls } from '../xds/resource.ts'

interface FollowOptions {
  readonly type: ResourceType
  /** None: all. */
  readonly names?: readonly string[]
  /** What a response brings. @returns the words with which it is refused; undefined: it is taken */
  readonly onResources: (resources: readonly Resource[]) => string | undefined
}

/** @returns what ends it */
export function follow(xdsPort: number, { type, names = [], onResources }: FollowOptions): () => void {
  const bytes = (buffer: Buffer) => buffer
  const channel = new Client(`127.0.0.1:${xdsPort}`, credentials.createInsecure())
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'
  const call = channel.makeBidiStreamRequest(path, bytes, bytes)
  const ask = (more: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) => {
    const message = create(DeltaDiscoveryRequestSchema, { typeUrl: typeUrls[type], ...more })
    call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message)))
  }
  call.on('error', () => undefined)
  call.on('data', (answer: Buffer) => {
    const { nonce: responseNonce, resources } = fromBinary(DeltaDiscoveryResponseSchema, answer)
    const message = onResources(resources)
    ask({ responseNonce, ...(message !== undefined && { errorDetail: { message } }) })
  })
  ask({ resourceNamesSubscribe: [...names] })
  return () => {
    call.cancel()
    channel.close()
  }
}
