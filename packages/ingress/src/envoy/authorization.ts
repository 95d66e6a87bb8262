/**
 * The external authorization filter (envoy.extensions.filters.http.ext_authz.v3): one in each connection manager whose
 * hosts ask the same server in the same way; routes that need none switch it off.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { ApiVersion } from '@envoyproxy/envoy-types/envoy/config/core/v3/config_source'
import {
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/ext_authz/v3/ext_authz'
import type {
  ListStringMatcherSchema,
  StringMatcherSchema,
} from '@envoyproxy/envoy-types/envoy/type/matcher/v3/string'
import { StatusCode } from '@envoyproxy/envoy-types/envoy/type/v3/http_status'
import type { Authorization, NameMatch } from '../dag/access.ts'
import type { AuthorizationRule } from '../dag/filters.ts'
import { askingLimit, grpcService, pack, typed } from './message.ts'
import { extensionName } from './names.ts'
import { scopeHeader } from './scope-key.ts'

type ExtAuthz = MessageInitShape<typeof ExtAuthzSchema>

const name = 'envoy.filters.http.ext_authz'

export function authorizationFilter(authorization: Authorization) {
  const { failOpen, body, service } = authorization
  return typed(name, ExtAuthzSchema, {
    services: serviceOf(authorization),
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: failOpen,
    statusOnError: { code: StatusCode.Forbidden },
    clearRouteCache: true,
    includePeerCertificate: true,
    ...(service.kind === 'http' && service.asked.length > 0 ? { allowedHeaders: names(service.asked) } : {}),
    disallowedHeaders: names([{ kind: 'exact', value: scopeHeader, ignoreCase: false }]),
    ...(body && {
      withRequestBody: {
        maxRequestBytes: body.maxBytes,
        allowPartialMessage: body.allowPartial,
        packAsBytes: body.asBytes,
      },
    }),
  })
}

/** What a route says to the filter; empty: it is asked, and told nothing more. */
export function authorizationRule(rule: AuthorizationRule): Record<string, Any> {
  if (rule.kind === 'skip')
    return { [name]: pack(ExtAuthzPerRouteSchema, { override: { case: 'disabled', value: true } }) }
  const { context } = rule
  if (Object.keys(context).length === 0) return {}
  const value = { contextExtensions: { ...context } }
  return { [name]: pack(ExtAuthzPerRouteSchema, { override: { case: 'checkSettings', value } }) }
}

function serviceOf({ extension, service, timeout }: Authorization): NonNullable<ExtAuthz['services']> {
  const asked = extensionName(extension.namespace, extension.name)
  if (service.kind === 'grpc')
    return { case: 'grpcService', value: grpcService(asked, extension.sni, timeout) }
  return {
    case: 'httpService',
    value: {
      serverUri: {
        uri: `http://${asked.replaceAll('/', '.')}/`,
        httpUpstreamType: { case: 'cluster', value: asked },
        timeout: askingLimit(timeout ?? 'infinite'),
      },
      pathPrefix: service.pathPrefix,
      ...(service.granted.length === 0
        ? {}
        : { authorizationResponse: { allowedUpstreamHeaders: names(service.granted) } }),
    },
  }
}

/** @param all not empty: Envoy refuses such a list */
function names(all: readonly NameMatch[]): MessageInitShape<typeof ListStringMatcherSchema> {
  return { patterns: all.map(nameMatcher) }
}

function nameMatcher({ kind, value, ignoreCase }: NameMatch): MessageInitShape<typeof StringMatcherSchema> {
  return { matchPattern: { case: kind, value }, ignoreCase }
}
