/** A custom resource in full: its names, its versions and the schema of each. */
import type { TObject } from 'typebox'
import type { ResourceIdentity } from '../identity.ts'

export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'integer' | 'date'
  readonly jsonPath: string
  readonly description?: string
  readonly priority?: number
}

export interface CustomResourceVersion {
  readonly name: string
  readonly spec: TObject
  readonly specRequired: boolean
  readonly status: TObject
  /** What the API server fills in when an object comes without a status. */
  readonly statusDefault?: Readonly<Record<string, string>>
  readonly printerColumns: readonly PrinterColumn[]
  readonly deprecationWarning?: string
}

/** Exactly one version is stored: the one that the identity names. All are served, and none is converted. */
export interface CustomResource extends ResourceIdentity {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly description: string
  readonly versions: readonly CustomResourceVersion[]
}

export function column(
  name: string,
  jsonPath: string,
  type: PrinterColumn['type'] = 'string',
  priority = 0,
): PrinterColumn {
  return { name, type, jsonPath, ...(priority === 0 ? {} : { priority }) }
}
