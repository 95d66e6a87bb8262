/** Who may send requests to a host over TLS: what its connections check before any route is taken. */
import type { DnsCluster, ExtensionCluster, Limit } from './cluster.ts'

/** A name of a header, or names that have something in common. */
export interface NameMatch {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains'
  readonly value: string
  readonly ignoreCase: boolean
}

/** A server that is asked about each request. */
export interface Authorization {
  /** The ExtensionService, and the name that is asked for in a TLS handshake with it. */
  readonly extension: { readonly namespace: string; readonly name: string; readonly sni: string }
  /** undefined: it is not there or not valid, and so never answers. */
  readonly cluster: ExtensionCluster | undefined
  readonly service:
    | { readonly kind: 'grpc' }
    | {
        readonly kind: 'http'
        readonly pathPrefix: string
        /** Headers of the request that it gets beside the usual ones. */
        readonly asked: readonly NameMatch[]
        /** Headers of its answer that the backend gets. */
        readonly granted: readonly NameMatch[]
      }
  readonly timeout: Limit
  /** Requests pass when it does not answer. */
  readonly failOpen: boolean
  /** How much of the body it gets; undefined: none. */
  readonly body:
    | { readonly maxBytes: number; readonly allowPartial: boolean; readonly asBytes: boolean }
    | undefined
}

/** Whose tokens are taken. */
export interface JwtProvider {
  readonly name: string
  readonly issuer: string
  readonly audiences: readonly string[]
  /** The backend gets the token too. */
  readonly forward: boolean
  readonly keys:
    | {
        readonly kind: 'remote'
        readonly uri: string
        readonly cluster: DnsCluster
        readonly timeoutMs: number
        /** undefined: Envoy's default. */
        readonly cacheMs: number | undefined
      }
    /** A JSON Web Key Set. */
    | { readonly kind: 'local'; readonly text: string }
}

export interface Access {
  readonly authorization: Authorization | undefined
  readonly providers: readonly JwtProvider[]
}

export const openAccess: Access = { authorization: undefined, providers: [] }

export function isOpen({ authorization, providers }: Access): boolean {
  return authorization === undefined && providers.length === 0
}

export function clustersOfAccess({
  authorization,
  providers,
}: Access): readonly (DnsCluster | ExtensionCluster)[] {
  const fetched = providers.flatMap(({ keys }) => (keys.kind === 'remote' ? [keys.cluster] : []))
  const { cluster } = authorization ?? {}
  return cluster === undefined ? fetched : [cluster, ...fetched]
}
