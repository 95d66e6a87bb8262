/** What is asked of requests and answers on their way through, by a host for all its routes or by a route. */
import type { HeaderMatch } from './match.ts'

/** An origin that may call: itself regardless of case, or what the whole of it must match; `*` is anybody. */
export interface Origin {
  readonly kind: 'exact' | 'regex'
  readonly value: string
}

export interface Cors {
  readonly origins: readonly Origin[]
  readonly methods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly credentials: boolean
  readonly privateNetwork: boolean
  readonly maxAgeSeconds: number | undefined
}

/** A bucket of tokens in each Envoy; a request takes one. */
export interface LocalRateLimit {
  readonly burst: number
  readonly perInterval: number
  readonly intervalMs: number
  /** Of a refused request; undefined: 429. */
  readonly status: number | undefined
  /** Values in Envoy's format, where `%%` is a percent sign. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

export interface IPRule {
  /** The other end of the connection, or the client, as the PROXY protocol and X-Forwarded-For tell. */
  readonly source: 'peer' | 'remote'
  readonly address: string
  readonly length: number
}

export interface IPFilter {
  /** Only these are served, or all but these. */
  readonly kind: 'allow' | 'deny'
  readonly rules: readonly IPRule[]
}

/** What becomes of the attributes of a cookie that a backend sets; undefined: they stay. */
export interface CookieRewrite {
  readonly name: string
  readonly path: string | undefined
  readonly domain: string | undefined
  readonly secure: boolean | undefined
  readonly sameSite: string | undefined
}

/** What a rate limit service is told of a request, to count by. */
export type Descriptor = readonly DescriptorEntry[]

export type DescriptorEntry =
  | { readonly kind: 'generic'; readonly key: string; readonly value: string }
  | { readonly kind: 'header'; readonly header: string; readonly key: string }
  | {
      readonly kind: 'match'
      readonly headers: readonly HeaderMatch[]
      readonly expect: boolean
      readonly value: string
    }
  | { readonly kind: 'address' }

export interface RouteDescriptors {
  /** Those of the host count too. */
  readonly withHost: boolean
  readonly descriptors: readonly Descriptor[]
}

/** Whether the authorization server of the host is asked, and what it is told beside the request. */
export type AuthorizationRule =
  | { readonly kind: 'skip' }
  | { readonly kind: 'ask'; readonly context: Readonly<Record<string, string>> }

/** Whether a token is needed, and whose. */
export type JwtRule = { readonly kind: 'none' } | { readonly kind: 'require'; readonly provider: string }

export interface HostFilters {
  readonly cors: Cors | undefined
  readonly rateLimit: LocalRateLimit | undefined
  readonly ipFilter: IPFilter | undefined
  readonly descriptors: readonly Descriptor[]
  readonly authorization: AuthorizationRule
  readonly jwt: JwtRule
}

/** Each takes the place of the host's. */
export interface RouteFilters {
  readonly rateLimit: LocalRateLimit | undefined
  readonly ipFilter: IPFilter | undefined
  readonly cookies: readonly CookieRewrite[]
  readonly descriptors: RouteDescriptors | undefined
  readonly authorization: AuthorizationRule | undefined
  readonly jwt: JwtRule | undefined
}

export const noHostFilters: HostFilters = {
  cors: undefined,
  rateLimit: undefined,
  ipFilter: undefined,
  descriptors: [],
  authorization: { kind: 'ask', context: {} },
  jwt: { kind: 'none' },
}
export const noRouteFilters: RouteFilters = {
  rateLimit: undefined,
  ipFilter: undefined,
  cookies: [],
  descriptors: undefined,
  authorization: undefined,
  jwt: undefined,
}
