/** The limits that the schema of a kind sets to what can be written (pure): each a line of a table for readers. */

import type { CustomResource } from './definition.ts'
import { crdManifest } from './manifest.ts'

export interface Bound {
  readonly kind: string
  readonly version: string
  /** `spec.addresses[]` */
  readonly field: string
  /** `at most 64 entries` */
  readonly limit: string
}

/** Of its spec; what the programs write themselves is left out. */
export function boundsOf(resource: CustomResource): readonly Bound[] {
  return list(crdManifest(resource).spec['versions']).flatMap((version) => {
    const { name, schema } = fields(version)
    const { properties } = fields(fields(schema)['openAPIV3Schema'])
    const bounds = boundsIn(fields(properties)['spec'], 'spec')
    return bounds.map((bound) => ({ kind: resource.kind, version: String(name), ...bound }))
  })
}

function boundsIn(schema: unknown, field: string): readonly Pick<Bound, 'field' | 'limit'>[] {
  if (schema === undefined) return []
  const known = fields(schema)
  const limits = [
    limitOf(known['minItems'], known['maxItems'], 'entries'),
    limitOf(known['minLength'], known['maxLength'], 'characters'),
    limitOf(known['minProperties'], known['maxProperties'], 'keys'),
    limitOf(known['minimum'], known['maximum'], ''),
  ].filter((limit) => limit !== '')
  const below = Object.entries(fields(known['properties'])).flatMap(([name, one]) =>
    boundsIn(one, `${field}.${name}`),
  )
  return [
    ...limits.map((limit) => ({ field, limit })),
    ...below,
    ...boundsIn(known['items'], `${field}[]`),
    ...boundsIn(known['additionalProperties'], `${field}.*`),
  ]
}

function limitOf(least: unknown, most: unknown, unit: string): string {
  const words = (text: string) => [text, unit].filter((word) => word !== '').join(' ')
  if (typeof least === 'number' && typeof most === 'number') return words(`${least} to ${most}`)
  if (typeof most === 'number') return words(`at most ${most}`)
  return typeof least === 'number' ? words(`at least ${least}`) : ''
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
