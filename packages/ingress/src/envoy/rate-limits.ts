/**
 * The global rate limit filter (envoy.extensions.filters.http.ratelimit.v3), in every connection manager where a
 * service is configured; what it is told of a request stands with hosts and routes.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { ApiVersion } from '@envoyproxy/envoy-types/envoy/config/core/v3/config_source'
import type {
  RateLimitSchema as DescriptorSchema,
  RateLimit_ActionSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import {
  RateLimit_XRateLimitHeadersRFCVersion,
  RateLimitPerRoute_VhRateLimitsOptions,
  RateLimitPerRouteSchema,
  RateLimitSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/ratelimit/v3/rate_limit'
import type { Cluster, Limit } from '../dag/cluster.ts'
import type { Descriptor, DescriptorEntry, RouteDescriptors } from '../dag/filters.ts'
import type { RateLimitService } from '../dag/options.ts'
import { headerMatcher } from './match.ts'
import { askingLimit, grpcService, pack, typed } from './message.ts'
import { extensionName } from './names.ts'

/** How the listeners ask the service. */
export interface RateLimiting
  extends Omit<RateLimitService, 'extensionService' | 'defaultGlobalRateLimitPolicy'> {
  readonly cluster: string
  readonly sni: string
  readonly timeout: Limit
}

const name = 'envoy.filters.http.ratelimit'

/** @param cluster undefined: the ExtensionService is not there or not valid, and `failOpen` decides */
export function rateLimitingBy(
  {
    extensionService,
    domain,
    failOpen,
    enableXRateLimitHeaders,
    enableResourceExhaustedCode,
  }: RateLimitService,
  cluster: Cluster | undefined,
  timeout: Limit,
): RateLimiting {
  const [namespace = '', service = ''] = extensionService.split('/')
  return {
    domain,
    failOpen,
    enableXRateLimitHeaders,
    enableResourceExhaustedCode,
    cluster: extensionName(namespace, service),
    sni: cluster?.kind === 'extension' ? cluster.settings.sni : '',
    timeout,
  }
}

export function rateLimitFilter(limiting: RateLimiting) {
  const { cluster, sni, timeout, failOpen, domain } = limiting
  const { OFF, DRAFT_VERSION_03 } = RateLimit_XRateLimitHeadersRFCVersion
  return typed(name, RateLimitSchema, {
    domain,
    failureModeDeny: !failOpen,
    enableXRatelimitHeaders: limiting.enableXRateLimitHeaders ? DRAFT_VERSION_03 : OFF,
    rateLimitedAsResourceExhausted: limiting.enableResourceExhaustedCode,
    rateLimitService: {
      transportApiVersion: ApiVersion.V3,
      grpcService: grpcService(cluster, sni, undefined),
    },
    ...(timeout === undefined ? {} : { timeout: askingLimit(timeout) }),
  })
}

/** What a route says to the filter: whether those of its host count too. */
export function rateLimitRule(descriptors: RouteDescriptors | undefined): Record<string, Any> {
  if (descriptors === undefined) return {}
  const { INCLUDE, IGNORE } = RateLimitPerRoute_VhRateLimitsOptions
  const vhRateLimits = descriptors.withHost ? INCLUDE : IGNORE
  return { [name]: pack(RateLimitPerRouteSchema, { vhRateLimits }) }
}

export function rateLimits(all: readonly Descriptor[]): MessageInitShape<typeof DescriptorSchema>[] {
  return all.map((entries) => ({ actions: entries.map((entry) => ({ actionSpecifier: specifier(entry) })) }))
}

type Specifier = NonNullable<MessageInitShape<typeof RateLimit_ActionSchema>['actionSpecifier']>

function specifier(entry: DescriptorEntry): Specifier {
  if (entry.kind === 'generic')
    return { case: 'genericKey', value: { descriptorKey: entry.key, descriptorValue: entry.value } }
  if (entry.kind === 'header')
    return { case: 'requestHeaders', value: { headerName: entry.header, descriptorKey: entry.key } }
  if (entry.kind === 'address') return { case: 'remoteAddress', value: {} }
  const { headers, expect, value } = entry
  return {
    case: 'headerValueMatch',
    value: { descriptorValue: value, expectMatch: expect, headers: headers.map(headerMatcher) },
  }
}
