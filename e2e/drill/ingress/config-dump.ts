/** All that an Envoy holds, each resource as text, so that two of them can be compared. */
import type { Envoy } from '../../ingress/envoy.ts'

/** What is no content: when it came, and what of a listener is on its way out. */
const passed = new Set(['last_updated', 'draining_state'])
/** What makes a scope other bytes, for an Envoy that comes back. */
const mark = 'landfall'
/** In whatever order they came. */
const unordered = new Set(['endpoints', 'lb_endpoints'])

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** Resources, but for listeners with the versions under which they came; of a key Envoy shows nothing but that version. */
export async function resourcesOf(envoy: Envoy): Promise<ReadonlySet<string>> {
  const { configs }: { readonly configs: readonly Json[] } = JSON.parse(
    await envoy.admin('/config_dump?include_eds'),
  )
  const listed = configs.flatMap((config) =>
    isObject(config) ? Object.values(config).flatMap((value) => (Array.isArray(value) ? value : [])) : [],
  )
  const present = listed.filter((one) => !isLeaving(one))
  return new Set(present.flatMap(scopesApart).map((one) => JSON.stringify(normal(one))))
}

/** A listener that is gone, the first one of a start too, is shown until it is drained. */
function isLeaving(one: Json): boolean {
  return isObject(one) && 'draining_state' in one && !('active_state' in one) && !('warming_state' in one)
}

/** Of all scopes there is one entry. */
function scopesApart(one: Json): readonly Json[] {
  const scopes = isObject(one) ? one['scoped_route_configs'] : undefined
  return Array.isArray(scopes) ? scopes : [one]
}

function normal(value: Json, name = ''): Json {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item))
    return unordered.has(name)
      ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items
  }
  if (!isObject(value)) return value
  // A listener that Envoy changed in place goes on showing the version that it had at first.
  const isListener = 'listener' in value
  const kept = Object.entries(value).filter(
    ([field, inner]) =>
      !passed.has(field) && !(isListener && field === 'version_info') && !isMark(name, field, inner),
  )
  // Envoy shows the entries of a map in whatever order.
  const sorted = kept.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([field, inner]) => [field, normal(inner, field)]))
}

function isMark(name: string, field: string, value: Json): boolean {
  if (name !== 'route_configuration' || field !== 'metadata' || !isObject(value)) return false
  const data = value['filter_metadata']
  return isObject(data) && Object.keys(data).join() === mark
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
