/** Forward → Envoy's RouteAction: clusters, mirror, timeouts, retries, hashing, rewrites, internal redirects. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  InternalRedirectPolicySchema,
  RetryPolicySchema,
  RouteActionSchema,
  RouteSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import { PreviousRoutesConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/internal_redirect/previous_routes/v3/previous_routes_config'
import { SafeCrossSchemeConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/internal_redirect/safe_cross_scheme/v3/safe_cross_scheme_config'
import { FractionalPercent_DenominatorType } from '@envoyproxy/envoy-types/envoy/type/v3/percent'
import type { Descriptor } from '../dag/filters.ts'
import type { Forward, HashPolicy, InternalRedirect, Retry, WeightedCluster } from '../dag/virtual-host.ts'
import { cookieFilter } from './filters.ts'
import { headerEdits } from './header-edits.ts'
import { limit, milliseconds, typed } from './message.ts'
import { clusterName } from './names.ts'
import { rateLimits } from './rate-limits.ts'

type RouteAction = MessageInitShape<typeof RouteActionSchema>

/** @param descriptors of the route's own, for a rate limit service */
export function forwardAction(
  forward: Forward,
  descriptors: readonly Descriptor[] = [],
  copied: readonly string[] = [],
): NonNullable<MessageInitShape<typeof RouteSchema>['action']> {
  const { response, idle, retry, mirror, internalRedirect } = forward
  return {
    case: 'route',
    value: {
      clusterSpecifier: clusterSpecifier(forward.clusters),
      upgradeConfigs: forward.websockets ? [{ upgradeType: 'websocket' }] : [],
      hashPolicy: forward.hash.map(hashPolicy),
      prefixRewrite: forward.prefixRewrite ?? '',
      ...hostRewrite(forward),
      ...(response === undefined ? {} : { timeout: limit(response) }),
      ...(idle === undefined ? {} : { idleTimeout: limit(idle) }),
      ...(retry === undefined ? {} : { retryPolicy: retryPolicy(retry) }),
      ...(mirror === undefined ? {} : { requestMirrorPolicies: [mirrorPolicy(mirror)] }),
      ...(internalRedirect === undefined
        ? {}
        : { internalRedirectPolicy: internalRedirectPolicy(internalRedirect, copied) }),
      rateLimits: rateLimits(descriptors),
    },
  }
}

function hostRewrite({ hostRewrite: rewrite }: Forward): Pick<RouteAction, 'hostRewriteSpecifier'> {
  if (rewrite === undefined) return {}
  return rewrite.kind === 'literal'
    ? { hostRewriteSpecifier: { case: 'hostRewriteLiteral', value: rewrite.value } }
    : { hostRewriteSpecifier: { case: 'hostRewriteHeader', value: rewrite.name } }
}

function clusterSpecifier(
  clusters: readonly WeightedCluster[],
): NonNullable<RouteAction['clusterSpecifier']> {
  const only = clusters[0]
  if (only !== undefined && clusters.length === 1 && asksNothing(only))
    return { case: 'cluster', value: clusterName(only.cluster) }
  const weighted = clusters.map(({ cluster, weight, request, response, host, cookies }) => ({
    name: clusterName(cluster),
    weight,
    ...headerEdits(request, response),
    typedPerFilterConfig: cookieFilter(cookies ?? []),
    ...(host === undefined
      ? {}
      : { hostRewriteSpecifier: { case: 'hostRewriteLiteral' as const, value: host } }),
  }))
  return { case: 'weightedClusters', value: { clusters: weighted } }
}

function asksNothing({ request, response, host, cookies = [] }: WeightedCluster): boolean {
  return (
    host === undefined &&
    cookies.length === 0 &&
    [request, response].every(({ set, remove }) => set.length + remove.length === 0)
  )
}

function mirrorPolicy({ cluster, percent }: NonNullable<Forward['mirror']>) {
  return {
    cluster: clusterName(cluster),
    runtimeFraction: {
      defaultValue: { numerator: percent, denominator: FractionalPercent_DenominatorType.HUNDRED },
    },
  }
}

function retryPolicy({ count, on, statusCodes, perTry }: Retry): MessageInitShape<typeof RetryPolicySchema> {
  return {
    retryOn: on.join(','),
    numRetries: count,
    retriableStatusCodes: [...statusCodes],
    ...(perTry === undefined ? {} : { perTryTimeout: limit(perTry) }),
  }
}

type HashInit = NonNullable<RouteAction['hashPolicy']>[number]

function hashPolicy(policy: HashPolicy): HashInit {
  return { terminal: policy.terminal, policySpecifier: hashSource(policy) }
}

function hashSource(policy: HashPolicy): NonNullable<HashInit['policySpecifier']> {
  if (policy.kind === 'source') return { case: 'connectionProperties', value: { sourceIp: true } }
  if (policy.kind === 'header') return { case: 'header', value: { headerName: policy.name } }
  if (policy.kind === 'query') return { case: 'queryParameter', value: { name: policy.name } }
  return { case: 'cookie', value: { name: policy.name, ttl: milliseconds(0), path: '/' } }
}

function internalRedirectPolicy(
  redirect: InternalRedirect,
  copied: readonly string[],
): MessageInitShape<typeof InternalRedirectPolicySchema> {
  const predicates = [
    ...(redirect.denyRepeated
      ? [typed('envoy.internal_redirect_predicates.previous_routes', PreviousRoutesConfigSchema, {})]
      : []),
    ...(redirect.crossScheme === 'SafeOnly'
      ? [typed('envoy.internal_redirect_predicates.safe_cross_scheme', SafeCrossSchemeConfigSchema, {})]
      : []),
  ]
  return {
    ...(redirect.most > 0 ? { maxInternalRedirects: redirect.most } : {}),
    redirectResponseCodes: [...redirect.statuses],
    allowCrossSchemeRedirect: redirect.crossScheme !== 'Never',
    responseHeadersToCopy: [...copied],
    predicates,
  }
}
