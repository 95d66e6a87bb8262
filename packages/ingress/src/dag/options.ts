/** The settings that translation reads. */
import type { TlsDefaults } from './tls-settings.ts'

export interface DagOptions {
  /** Namespaces that may hold root HTTPProxies; empty: all. */
  readonly rootNamespaces: readonly string[]
  /** `permitInsecure` counts for nothing. */
  readonly disablePermitInsecure: boolean
  readonly tls: TlsDefaults
}

export const defaultDagOptions: DagOptions = {
  rootNamespaces: [],
  disablePermitInsecure: false,
  tls: { minimum: '1.2', maximum: '1.3' },
}
