/** The Service that a connection goes to, and the address of it. */
import type { BalancedService } from '../observed.ts'

export interface Entry {
  readonly service: BalancedService
  /** '' where it has none. */
  readonly address: string
}
