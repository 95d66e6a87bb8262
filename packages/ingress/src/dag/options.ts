/** The settings that translation reads. */
import type { TlsDefaults } from './tls-settings.ts'

export interface DagOptions {
  /** Namespaces that may hold root HTTPProxies; empty: all. */
  readonly rootNamespaces: readonly string[]
  /** `permitInsecure` counts for nothing. */
  readonly disablePermitInsecure: boolean
  readonly tls: TlsDefaults
  /** Backends that speak TLS and whose certificate nobody checks are not served. */
  readonly requireUpstreamValidation: boolean
  readonly headers: DefaultHeaders
}

export interface HeaderDefaults {
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

/** For every route that does not say otherwise. */
export interface DefaultHeaders {
  readonly request: HeaderDefaults
  readonly response: HeaderDefaults
  readonly applyToIngress: boolean
}

export const defaultDagOptions: DagOptions = {
  rootNamespaces: [],
  disablePermitInsecure: false,
  tls: { minimum: '1.2', maximum: '1.3' },
  requireUpstreamValidation: false,
  headers: {
    request: { set: {}, remove: [] },
    response: { set: {}, remove: [] },
    applyToIngress: false,
  },
}
