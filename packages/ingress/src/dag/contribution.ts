/** What the objects of one kind add to a host. */
import { type HostFilters, noHostFilters } from './filters.ts'
import type { Tls } from './tls-settings.ts'
import type { Route, SecureSide } from './virtual-host.ts'

export interface Contribution {
  /** Of routes that match the same, the later one counts. */
  readonly plain: readonly Route[]
  readonly secure: readonly Route[]
  readonly tls: Tls | undefined
  /** Takes all of the secure side. */
  readonly tcp: Extract<SecureSide, { readonly kind: 'tcp' }> | undefined
  readonly filters: HostFilters
}

export const nothing: Contribution = {
  plain: [],
  secure: [],
  tls: undefined,
  tcp: undefined,
  filters: noHostFilters,
}
