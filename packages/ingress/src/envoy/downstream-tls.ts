/** How a chain speaks TLS with clients: its certificate by SDS, versions, cipher suites, HTTP/2 and HTTP/1.1. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TransportSocketSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import { SNISchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/cert_mappers/sni/v3/config'
import { ConfigSchema as OnDemandSecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/cert_selectors/on_demand_secret/v3/config'
import {
  CertificateValidationContext_TrustChainVerification,
  TlsParameters_TlsProtocol,
  type TlsParametersSchema,
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
  return tlsSocket({
    ...(settings.clients === undefined ? {} : { requireClientCertificate: settings.clients.required }),
    commonTlsContext: {
      tlsParams: parameters(settings, tls),
      alpnProtocols: [...alpnProtocols],
      tlsCertificateSdsSecretConfigs: [{ name: settings.secret, sdsConfig: configSource(source) }],
      ...(settings.clients === undefined ? {} : { validationContextType: checks(settings.clients, source) }),
    },
  })
}

/** Of a client that names no host in its handshake: nothing is called so. */
const noServerName = 'no server name'

/** The secret has the name of the host. Envoy resumes no sessions then, and refuses the chain unless that is said. */
export function onDemandTls(
  range: Pick<TlsSettings, 'minimum' | 'maximum'>,
  { tls, httpVersions }: ListenerOptions,
): MessageInitShape<typeof TransportSocketSchema> {
  return tlsSocket({
    sessionTicketKeysType: { case: 'disableStatelessSessionResumption', value: true },
    disableStatefulSessionResumption: true,
    commonTlsContext: {
      tlsParams: parameters(range, tls),
      alpnProtocols: [...offered(httpVersions)],
      customTlsCertificateSelector: typed(
        'envoy.tls.certificate_selectors.on_demand_secret',
        OnDemandSecretSchema,
        {
          configSource: configSource('ads'),
          certificateMapper: typed('envoy.tls.certificate_mappers.sni', SNISchema, {
            defaultValue: noServerName,
          }),
        },
      ),
    },
  })
}

function tlsSocket(
  context: MessageInitShape<typeof DownstreamTlsContextSchema>,
): MessageInitShape<typeof TransportSocketSchema> {
  const socket = typed('envoy.transport_sockets.tls', DownstreamTlsContextSchema, context)
  return { name: socket.name, configType: { case: 'typedConfig', value: socket.typedConfig } }
}

function parameters(
  { minimum, maximum }: Pick<TlsSettings, 'minimum' | 'maximum'>,
  { cipherSuites, curves }: ListenerOptions['tls'],
): MessageInitShape<typeof TlsParametersSchema> {
  return {
    tlsMinimumProtocolVersion: versions[minimum],
    tlsMaximumProtocolVersion: versions[maximum],
    cipherSuites: [...cipherSuites],
    ecdhCurves: [...curves],
  }
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
