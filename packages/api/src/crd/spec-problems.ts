/**
 * What the API server would refuse of a custom resource by its schema: types, bounds, words, fields that are missing;
 * and fields that the schema does not know, which kubectl refuses. Rules in CEL are not evaluated.
 */
import type { TSchema } from 'typebox'
import { Errors } from 'typebox/value'
import type { CustomResource } from './definition.ts'

/** @returns undefined when the definition has no such version */
export function specProblems(
  resource: CustomResource,
  version: string,
  spec: unknown,
): readonly string[] | undefined {
  const found = resource.versions.find(({ name }) => name === version)
  if (found === undefined) return undefined
  if (spec === undefined) return found.specRequired ? ['spec: is required'] : []
  const refused = Errors(found.spec, spec).map(
    ({ instancePath, message }) => `${at(instancePath)}: ${message}`,
  )
  return [...new Set([...refused, ...moreProblems(found.spec, spec, 'spec')])]
}

/** `/routes/0/services` as `spec.routes[0].services`. */
function at(pointer: string): string {
  return `spec${pointer.replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.')}`
}

interface Described {
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly items?: TSchema
  readonly format?: string
}

/** What an integer of each format may be. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1],
}

/** Fields that are not known, and integers too large for their format, of which JSON schema says nothing. */
function moreProblems(schema: TSchema, value: unknown, path: string): readonly string[] {
  const { properties, items, format = '' }: Described = schema
  const range = ranges[format]
  if (range !== undefined && typeof value === 'number' && (value < range[0] || value > range[1]))
    return [`${path}: is no ${format}`]
  if (Array.isArray(value)) {
    return items === undefined
      ? []
      : value.flatMap((item, index) => moreProblems(items, item, `${path}[${index}]`))
  }
  if (typeof value !== 'object' || value === null || properties === undefined) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const known = properties[name]
    const here = `${path}.${name}`
    return known === undefined ? [`${here}: is no field that is known`] : moreProblems(known, inner, here)
  })
}
