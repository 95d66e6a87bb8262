/** For tests: follows the clusters that `serve` tells Envoys of. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { ClusterSchema } from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { Client, credentials } from '@grpc/grpc-js'
import { typeUrls } from '../xds/resource.ts'

/** @returns how long each may take to connect, as last told, and what ends it */
export function followClusters(xdsPort: number): {
  readonly seconds: Map<string, bigint | undefined>
  readonly end: () => void
} {
  const bytes = (buffer: Buffer) => buffer
  const channel = new Client(`127.0.0.1:${xdsPort}`, credentials.createInsecure())
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'
  const call = channel.makeBidiStreamRequest(path, bytes, bytes)
  const seconds = new Map<string, bigint | undefined>()
  const ask = (responseNonce = '') =>
    call.write(
      Buffer.from(
        toBinary(
          DeltaDiscoveryRequestSchema,
          create(DeltaDiscoveryRequestSchema, { typeUrl: typeUrls.clusters, responseNonce }),
        ),
      ),
    )
  call.on('error', () => undefined)
  call.on('data', (answer: Buffer) => {
    const { nonce, resources } = fromBinary(DeltaDiscoveryResponseSchema, answer)
    for (const { name, resource } of resources)
      if (resource !== undefined)
        seconds.set(name, anyUnpack(resource, ClusterSchema)?.connectTimeout?.seconds)
    ask(nonce)
  })
  ask()
  return {
    seconds,
    end: () => {
      call.cancel()
      channel.close()
    },
  }
}
