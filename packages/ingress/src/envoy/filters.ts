/**
 * The filters that hosts and routes can ask something of. The shared connection managers hold each of them once,
 * without anything to do; what a host or a route asks for travels with its routes (`typed_per_filter_config`).
 */

import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import {
  type Principal,
  PrincipalSchema,
  RBAC_Action,
} from '@envoyproxy/envoy-types/envoy/config/rbac/v3/rbac'
import {
  CorsPolicySchema,
  CorsSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/cors/v3/cors'
import { LocalRateLimitSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit'
import {
  LuaPerRouteSchema,
  LuaSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/lua/v3/lua'
import {
  RBACPerRouteSchema,
  RBACSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/rbac/v3/rbac'
import type { StringMatcherSchema } from '@envoyproxy/envoy-types/envoy/type/matcher/v3/string'
import type { StatusCode } from '@envoyproxy/envoy-types/envoy/type/v3/http_status'
import { FractionalPercent_DenominatorType } from '@envoyproxy/envoy-types/envoy/type/v3/percent'
import type {
  Cors,
  HostFilters,
  IPFilter,
  IPRule,
  LocalRateLimit,
  Origin,
  RouteFilters,
} from '../dag/filters.ts'
import { cookieRewriteScript } from './cookie-rewrite.ts'
import { setHeaders } from './header-edits.ts'
import { milliseconds, pack, typed } from './message.ts'
import { rateLimitRule } from './rate-limits.ts'

const names = {
  cors: 'envoy.filters.http.cors',
  rateLimit: 'envoy.filters.http.local_ratelimit',
  cookies: 'cookie-rewrite',
  ipFilter: 'envoy.filters.http.rbac',
} as const

type PerFilter = Record<string, Any>

/** In the order in which a request passes them. */
export function sharedFilters() {
  return [
    typed(names.cors, CorsSchema, {}),
    typed(names.rateLimit, LocalRateLimitSchema, { statPrefix: 'http' }),
    typed(names.cookies, LuaSchema, {}),
    typed(names.ipFilter, RBACSchema, {}),
  ]
}

export function hostFilters({ cors, rateLimit, ipFilter }: HostFilters): PerFilter {
  return {
    ...(cors === undefined ? {} : { [names.cors]: corsPolicy(cors) }),
    ...common({ rateLimit, ipFilter }),
  }
}

export function routeFilters({ cookies, descriptors, ...filters }: RouteFilters): PerFilter {
  return { ...common(filters), ...cookieFilter(cookies), ...rateLimitRule(descriptors) }
}

export function cookieFilter(cookies: RouteFilters['cookies']): PerFilter {
  if (cookies.length === 0) return {}
  const value = { specifier: { case: 'inlineString' as const, value: cookieRewriteScript(cookies) } }
  return { [names.cookies]: pack(LuaPerRouteSchema, { override: { case: 'sourceCode', value } }) }
}

function common({ rateLimit, ipFilter }: Pick<RouteFilters, 'rateLimit' | 'ipFilter'>): PerFilter {
  return {
    ...(rateLimit === undefined ? {} : { [names.rateLimit]: localRateLimit(rateLimit) }),
    ...(ipFilter === undefined ? {} : { [names.ipFilter]: accessControl(ipFilter) }),
  }
}

function corsPolicy(cors: Cors): Any {
  return pack(CorsPolicySchema, {
    allowOriginStringMatch: cors.origins.map(originMatcher),
    allowMethods: cors.methods.join(','),
    allowHeaders: cors.allowHeaders.join(','),
    exposeHeaders: cors.exposeHeaders.join(','),
    maxAge: cors.maxAgeSeconds === undefined ? '' : String(cors.maxAgeSeconds),
    allowCredentials: cors.credentials,
    allowPrivateNetworkAccess: cors.privateNetwork,
  })
}

function originMatcher({ kind, value }: Origin): MessageInitShape<typeof StringMatcherSchema> {
  return kind === 'exact'
    ? { matchPattern: { case: 'exact', value }, ignoreCase: true }
    : { matchPattern: { case: 'safeRegex', value: { regex: value } } }
}

const always = { defaultValue: { numerator: 100, denominator: FractionalPercent_DenominatorType.HUNDRED } }

function localRateLimit({ burst, perInterval, intervalMs, status, headers }: LocalRateLimit): Any {
  return pack(LocalRateLimitSchema, {
    statPrefix: 'http',
    tokenBucket: {
      maxTokens: perInterval + burst,
      tokensPerFill: perInterval,
      fillInterval: milliseconds(intervalMs),
    },
    filterEnabled: always,
    filterEnforced: always,
    status: { code: (status ?? 429) as StatusCode },
    responseHeadersToAdd: setHeaders(headers),
  })
}

function accessControl({ kind, rules }: IPFilter): Any {
  const action = kind === 'allow' ? RBAC_Action.ALLOW : RBAC_Action.DENY
  const policy = {
    permissions: [{ rule: { case: 'any' as const, value: true } }],
    principals: rules.map(principal),
  }
  return pack(RBACPerRouteSchema, { rbac: { rules: { action, policies: { 'ip-rules': policy } } } })
}

function principal({ source, address, length }: IPRule): Principal {
  const value = { addressPrefix: address, prefixLen: length }
  return create(PrincipalSchema, {
    identifier: { case: source === 'peer' ? 'directRemoteIp' : 'remoteIp', value },
  })
}
