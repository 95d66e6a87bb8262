/** How a chain speaks TLS with clients: its certificate by SDS, versions, cipher suites, HTTP/2 and HTTP/1.1. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TransportSocketSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import {
  CertificateValidationContext_TrustChainVerification,
  TlsParameters_TlsProtocol,
} from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/common'
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import type { ClientValidation, TlsSettings, TlsVersion } from '../dag/virtual-host.ts'
import { configSource, type Source, typed } from './message.ts'
import type { ListenerOptions } from './options.ts'

const versions: Readonly<Record<TlsVersion, TlsParameters_TlsProtocol>> = {
  '1.2': TlsParameters_TlsProtocol.TLSv1_2,
  '1.3': TlsParameters_TlsProtocol.TLSv1_3,
}

const protocols = { 'HTTP/2': 'h2', 'HTTP/1.1': 'http/1.1' } as const

/** What is offered: HTTP/2 first. */
function offered(versions: ListenerOptions['httpVersions']): readonly string[] {
  return (['HTTP/2', 'HTTP/1.1'] as const)
    .filter((version) => versions.includes(version))
    .map((version) => protocols[version])
}

export function downstreamTls(
  settings: TlsSettings,
  source: Source,
  { tls, httpVersions }: ListenerOptions,
  alpnProtocols: readonly string[] = offered(httpVersions),
): MessageInitShape<typeof TransportSocketSchema> {
  const socket = typed('envoy.transport_sockets.tls', DownstreamTlsContextSchema, {
    ...(settings.clients === undefined ? {} : { requireClientCertificate: settings.clients.required }),
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion: versions[settings.minimum],
        tlsMaximumProtocolVersion: versions[settings.maximum],
        cipherSuites: [...tls.cipherSuites],
        ecdhCurves: [...tls.curves],
      },
      alpnProtocols: [...alpnProtocols],
      tlsCertificateSdsSecretConfigs: [{ name: settings.secret, sdsConfig: configSource(source) }],
      ...(settings.clients === undefined ? {} : { validationContextType: checks(settings.clients, source) }),
    },
  })
  return { name: socket.name, configType: { case: 'typedConfig', value: socket.typedConfig } }
}

type ContextType = NonNullable<MessageInitShape<typeof CommonTlsContextSchema>['validationContextType']>

const { ACCEPT_UNTRUSTED, VERIFY_TRUST_CHAIN } = CertificateValidationContext_TrustChainVerification

function checks({ authority, verify, leafOnly }: ClientValidation, source: Source): ContextType {
  const own = {
    trustChainVerification: verify ? VERIFY_TRUST_CHAIN : ACCEPT_UNTRUSTED,
    onlyVerifyLeafCertCrl: leafOnly,
  }
  if (authority === undefined) return { case: 'validationContext', value: own }
  return {
    case: 'combinedValidationContext',
    value: {
      defaultValidationContext: own,
      validationContextSdsSecretConfig: { name: authority, sdsConfig: configSource(source) },
    },
  }
}
