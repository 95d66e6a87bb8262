/** What is asked of requests and answers on their way through, by a host for all its routes or by a route. */

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

export interface HostFilters {
  readonly cors: Cors | undefined
  readonly rateLimit: LocalRateLimit | undefined
  readonly ipFilter: IPFilter | undefined
}

/** Each takes the place of the host's. */
export interface RouteFilters {
  readonly rateLimit: LocalRateLimit | undefined
  readonly ipFilter: IPFilter | undefined
  readonly cookies: readonly CookieRewrite[]
}

export const noHostFilters: HostFilters = { cors: undefined, rateLimit: undefined, ipFilter: undefined }
export const noRouteFilters: RouteFilters = { rateLimit: undefined, ipFilter: undefined, cookies: [] }
