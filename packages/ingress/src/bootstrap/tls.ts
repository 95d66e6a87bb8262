/** How Envoy proves itself to the control plane: mutual TLS 1.3 from files, directly or through SDS files. */
import { join } from 'node:path'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import type { TransportSocketSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import { ApiVersion } from '@envoyproxy/envoy-types/envoy/config/core/v3/config_source'
import {
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
  type TlsCertificateSchema,
  TlsParameters_TlsProtocol,
} from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/common'
import type { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import { UpstreamTlsContextSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'

export interface Files {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

type Secret = MessageInitShape<typeof SecretSchema>

/** The name in the control plane's certificate. */
const serverName = 'contour'

const certificateName = 'tls_sds'
const validationName = 'validation_context_sds'

export const certificateFile = 'xds-tls-certificate.json'
export const validationFile = 'xds-validation-context.json'

export function sdsDirectory(resourcesDirectory: string): string {
  return join(resourcesDirectory, 'sds')
}

function tlsCertificate(files: Files): MessageInitShape<typeof TlsCertificateSchema> {
  return {
    certificateChain: { specifier: { case: 'filename', value: files.certificate } },
    privateKey: { specifier: { case: 'filename', value: files.key } },
  }
}

function validationContext(files: Files): MessageInitShape<typeof CertificateValidationContextSchema> {
  return {
    trustedCa: { specifier: { case: 'filename', value: files.ca } },
    matchTypedSubjectAltNames: [
      {
        sanType: SubjectAltNameMatcher_SanType.DNS,
        matcher: { matchPattern: { case: 'exact', value: serverName } },
      },
    ],
  }
}

/** The two secrets that the SDS files carry. */
export function sdsSecrets(files: Files): { readonly certificate: Secret; readonly validation: Secret } {
  return {
    certificate: { name: certificateName, type: { case: 'tlsCertificate', value: tlsCertificate(files) } },
    validation: {
      name: validationName,
      type: { case: 'validationContext', value: validationContext(files) },
    },
  }
}

export function upstreamTls(
  files: Files,
  resourcesDirectory: string | undefined,
): MessageInitShape<typeof TransportSocketSchema> {
  const material =
    resourcesDirectory === undefined
      ? {
          tlsCertificates: [tlsCertificate(files)],
          validationContextType: { case: 'validationContext' as const, value: validationContext(files) },
        }
      : {
          tlsCertificateSdsSecretConfigs: [fromFile(certificateName, resourcesDirectory, certificateFile)],
          validationContextType: {
            case: 'validationContextSdsSecretConfig' as const,
            value: fromFile(validationName, resourcesDirectory, validationFile),
          },
        }
  const context = create(UpstreamTlsContextSchema, {
    sni: serverName,
    commonTlsContext: {
      alpnProtocols: ['h2'],
      tlsParams: {
        tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
        tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
      },
      ...material,
    },
  })
  return {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: anyPack(UpstreamTlsContextSchema, context) },
  }
}

function fromFile(name: string, resourcesDirectory: string, file: string) {
  const path = join(sdsDirectory(resourcesDirectory), file)
  return {
    name,
    sdsConfig: {
      configSourceSpecifier: { case: 'pathConfigSource' as const, value: { path } },
      resourceApiVersion: ApiVersion.V3,
    },
  }
}
