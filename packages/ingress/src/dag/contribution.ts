/** What the objects of one kind add to a host. */
import { type HostFilters, noHostFilters } from './filters.ts'
import type { Tls } from './tls-settings.ts'
import type { Route } from './virtual-host.ts'

export interface Contribution {
  /** Of routes that match the same, the later one counts. */
  readonly plain: readonly Route[]
  readonly secure: readonly Route[]
  readonly tls: Tls | undefined
  readonly filters: HostFilters
}

export const nothing: Contribution = { plain: [], secure: [], tls: undefined, filters: noHostFilters }
