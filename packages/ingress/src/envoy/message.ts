/** Short forms for building Envoy's messages. */
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf'
import { type Any, anyPack, type Duration } from '@bufbuild/protobuf/wkt'
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from '@envoyproxy/envoy-types/envoy/config/core/v3/config_source'
import type { GrpcServiceSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/grpc_service'

export function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init))
}

/** A named extension with its configuration. */
export function typed<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  init: MessageInitShape<Desc>,
): { readonly name: string; readonly typedConfig: Any } {
  return { name, typedConfig: pack(schema, init) }
}

export function milliseconds(ms: number): Pick<Duration, 'seconds' | 'nanos'> {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 }
}

/** No limit is 0 to Envoy. */
export function limit(ms: number | 'infinite'): Pick<Duration, 'seconds' | 'nanos'> {
  return milliseconds(ms === 'infinite' ? 0 : ms)
}

/** Where a resource says that what it names comes from: the aggregated stream, or a stream of its own for each. */
export type Source = 'ads' | 'streams'

/** The control plane in the bootstrap, ours and Contour's. */
const controlPlane = 'contour'

/** Without a fetch timeout: a listener that waits for what it names must not come up without it. */
export function configSource(source: Source): ConfigSource {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: source === 'ads' ? { case: 'ads', value: {} } : streams,
    resourceApiVersion: ApiVersion.V3,
    initialFetchTimeout: { seconds: 0n, nanos: 0 },
  })
}

const streams: NonNullable<MessageInitShape<typeof ConfigSourceSchema>['configSourceSpecifier']> = {
  case: 'apiConfigSource',
  value: {
    apiType: ApiConfigSource_ApiType.GRPC,
    transportApiVersion: ApiVersion.V3,
    grpcServices: [
      {
        targetSpecifier: {
          case: 'envoyGrpc',
          value: { clusterName: controlPlane, authority: controlPlane },
        },
      },
    ],
  },
}

/** Of filters that ask a server: they count milliseconds in 32 bits. */
export function askingLimit(ms: number | 'infinite'): Pick<Duration, 'seconds' | 'nanos'> {
  return limit(ms === 'infinite' ? ms : Math.min(ms, 0xffffffff))
}

/** A server behind one of the clusters; without a timeout, each filter has a default of its own. */
export function grpcService(
  clusterName: string,
  sni: string,
  timeout: number | 'infinite' | undefined,
): MessageInitShape<typeof GrpcServiceSchema> {
  const authority = sni === '' ? clusterName.replaceAll('/', '.') : sni
  return {
    targetSpecifier: { case: 'envoyGrpc', value: { clusterName, authority } },
    ...(timeout === undefined ? {} : { timeout: askingLimit(timeout) }),
  }
}
