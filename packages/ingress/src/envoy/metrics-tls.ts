/**
 * TLS of Envoy's statistics, from files of Envoy's own pod: two secrets that name them, under names that Contour has, so
 * that Envoy reads them again when they change.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { TransportSocketSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import { TlsParameters_TlsProtocol } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/common'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import { DownstreamTlsContextSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import { makeResource, type Resource } from '../xds/resource.ts'
import { configSource, type Source, typed } from './message.ts'
import type { MetricsTls } from './options.ts'

const certificateName = 'metrics-tls-certificate'
const authorityName = 'metrics-ca-certificate'

export function metricsSecrets(tls: MetricsTls | undefined): readonly Resource[] {
  if (tls === undefined) return []
  const { certificate, key, ca } = tls
  const pair = secret(certificateName, {
    case: 'tlsCertificate',
    value: {
      certificateChain: file(certificate),
      privateKey: file(key),
      watchedDirectory: { path: folderOf(certificate) },
    },
  })
  if (ca === undefined) return [pair]
  const authority = secret(authorityName, {
    case: 'validationContext',
    value: { trustedCa: file(ca), watchedDirectory: { path: folderOf(ca) } },
  })
  return [pair, authority]
}

/** With an authority, whoever reads must show a certificate that it signed. */
export function metricsSocket(
  { ca }: MetricsTls,
  source: Source,
): MessageInitShape<typeof TransportSocketSchema> {
  const sdsConfig = configSource(source)
  const socket = typed('envoy.transport_sockets.tls', DownstreamTlsContextSchema, {
    ...(ca === undefined ? {} : { requireClientCertificate: true }),
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
        tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
      },
      tlsCertificateSdsSecretConfigs: [{ name: certificateName, sdsConfig }],
      ...(ca === undefined
        ? {}
        : {
            validationContextType: {
              case: 'validationContextSdsSecretConfig',
              value: { name: authorityName, sdsConfig },
            },
          }),
    },
  })
  return { name: socket.name, configType: { case: 'typedConfig', value: socket.typedConfig } }
}

function secret(name: string, type: NonNullable<MessageInitShape<typeof SecretSchema>['type']>): Resource {
  return makeResource(name, toBinary(SecretSchema, create(SecretSchema, { name, type })))
}

function file(value: string) {
  return { specifier: { case: 'filename' as const, value } }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}
