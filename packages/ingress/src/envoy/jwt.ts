/**
 * Verification of tokens (envoy.extensions.filters.http.jwt_authn.v3): the providers of a host stand in the filter of
 * its connections, and each route names the one whose token it needs.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import {
  JwtAuthenticationSchema,
  type JwtProviderSchema,
  PerRouteConfigSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/jwt_authn/v3/config'
import type { JwtProvider } from '../dag/access.ts'
import type { JwtRule } from '../dag/filters.ts'
import { milliseconds, pack, typed } from './message.ts'
import { clusterName } from './names.ts'

type Provider = MessageInitShape<typeof JwtProviderSchema>

const name = 'envoy.filters.http.jwt_authn'

/** @param providers not empty */
export function jwtFilter(providers: readonly JwtProvider[]) {
  return typed(name, JwtAuthenticationSchema, {
    providers: Object.fromEntries(providers.map((provider) => [provider.name, providerMessage(provider)])),
    requirementMap: Object.fromEntries(
      providers.map((provider) => [
        provider.name,
        { requiresType: { case: 'providerName' as const, value: provider.name } },
      ]),
    ),
  })
}

/** What a route says to the filter; without a word it lets everything pass. */
export function jwtRule(rule: JwtRule): Record<string, Any> {
  if (rule.kind === 'none') return {}
  const requirementSpecifier = { case: 'requirementName' as const, value: rule.provider }
  return { [name]: pack(PerRouteConfigSchema, { requirementSpecifier }) }
}

function providerMessage({ issuer, audiences, forward, keys }: JwtProvider): Provider {
  return { issuer, audiences: [...audiences], forward, jwksSourceSpecifier: sourceOf(keys) }
}

function sourceOf(keys: JwtProvider['keys']): NonNullable<Provider['jwksSourceSpecifier']> {
  if (keys.kind === 'local')
    return { case: 'localJwks', value: { specifier: { case: 'inlineString', value: keys.text } } }
  return {
    case: 'remoteJwks',
    value: {
      httpUri: {
        uri: keys.uri,
        httpUpstreamType: { case: 'cluster', value: clusterName(keys.cluster) },
        timeout: milliseconds(keys.timeoutMs),
      },
      ...(keys.cacheMs === undefined ? {} : { cacheDuration: milliseconds(keys.cacheMs) }),
      // A listener is everybody's: it never waits for the keys of one host.
      asyncFetch: { fastListener: true },
    },
  }
}
