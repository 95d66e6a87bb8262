/** What the parts of a host are translated with. */
import type { Lookups } from '../model/lookups.ts'
import type { DagOptions } from './options.ts'

export interface Reading {
  readonly lookups: Lookups
  readonly options: DagOptions
}
