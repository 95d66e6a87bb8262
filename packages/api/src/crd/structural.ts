/**
 * JSON schema as TypeBox writes it → structural schema as the API server accepts it (apiextensions.k8s.io/v1):
 * every node has a type, maps are `additionalProperties`. Keys come out sorted, so the result is byte-stable.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

type Node = { readonly [key: string]: Json }

export function structural(schema: object): Node {
  return convert(asNode(JSON.parse(JSON.stringify(schema))))
}

function convert(node: Node): Node {
  const out: Record<string, Json> = {}
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties') out[key] = convertEach(asNode(value))
    else if (key === 'items') out[key] = convert(asNode(value))
    else if (key === 'patternProperties') out['additionalProperties'] = convert(onlyValue(asNode(value)))
    else if (key !== 'properties') out[key] = value
  }
  if (out['type'] === undefined) out['type'] = typeOf(node)
  if (isEmpty(out['properties'])) delete out['properties']
  return sorted(out)
}

function convertEach(properties: Node): Node {
  const out: Record<string, Json> = {}
  for (const [name, schema] of Object.entries(properties)) out[name] = convert(asNode(schema))
  return sorted(out)
}

/** TypeBox leaves the type of an enumeration to its values. */
function typeOf(node: Node): string {
  const values = node['enum']
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return 'string'
  if (Array.isArray(values) && values.every(Number.isInteger)) return 'integer'
  throw new Error(`schema without a type: ${JSON.stringify(node)}`)
}

function onlyValue(patterns: Node): Node {
  const schemas = Object.values(patterns)
  if (schemas.length !== 1) throw new Error('a map must have one schema for all of its keys')
  return asNode(schemas[0])
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new Error(`no schema: ${JSON.stringify(value)}`)
  return value
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: Json | undefined): boolean {
  return isNode(value) && Object.keys(value).length === 0
}

function sorted(node: Record<string, Json>): Node {
  return Object.fromEntries(Object.entries(node).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
