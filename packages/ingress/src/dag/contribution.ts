/** What the objects of one kind add to a host. */
import { type Access, openAccess } from './access.ts'
import { type HostFilters, noHostFilters } from './filters.ts'
import type { Tls } from './tls-settings.ts'
import type { Route, SecureSide } from './virtual-host.ts'

export interface Contribution {
  /** Of routes that match the same, the later one counts. */
  readonly plain: readonly Route[]
  readonly secure: readonly Route[]
  readonly tls: Tls | undefined
  /** For clients that name no host. */
  readonly fallback?: Tls | undefined
  /** Takes all of the secure side. */
  readonly tcp: Extract<SecureSide, { readonly kind: 'tcp' }> | undefined
  /** Who may send requests over TLS. */
  readonly access: Access
  readonly filters: HostFilters
}

export const nothing: Contribution = {
  plain: [],
  secure: [],
  tls: undefined,
  tcp: undefined,
  access: openAccess,
  filters: noHostFilters,
}
