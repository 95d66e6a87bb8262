/** How a chain speaks TLS with clients: its certificate by SDS, versions, cipher suites, HTTP/2 and HTTP/1.1. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TransportSocketSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import { TlsParameters_TlsProtocol } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/common'
import { DownstreamTlsContextSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import type { TlsSettings, TlsVersion } from '../dag/virtual-host.ts'
import { configSource, type Source, typed } from './message.ts'

const versions: Readonly<Record<TlsVersion, TlsParameters_TlsProtocol>> = {
  '1.2': TlsParameters_TlsProtocol.TLSv1_2,
  '1.3': TlsParameters_TlsProtocol.TLSv1_3,
}

const cipherSuites = [
  '[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]',
  '[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
]

export function downstreamTls(
  settings: TlsSettings,
  source: Source,
): MessageInitShape<typeof TransportSocketSchema> {
  const socket = typed('envoy.transport_sockets.tls', DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion: versions[settings.minimum],
        tlsMaximumProtocolVersion: versions[settings.maximum],
        cipherSuites,
      },
      alpnProtocols: ['h2', 'http/1.1'],
      tlsCertificateSdsSecretConfigs: [{ name: settings.secret, sdsConfig: configSource(source) }],
    },
  })
  return { name: socket.name, configType: { case: 'typedConfig', value: socket.typedConfig } }
}
