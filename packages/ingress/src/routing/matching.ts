/**
 * Whether a route takes a request, as Envoy decides it (envoy.config.route.v3.RouteMatch). The first one that does
 * is taken, in the order that `orderRoutes` gives them.
 */
import { RE2JS } from 're2js'
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch } from '../dag/match.ts'
import type { Request } from './request.ts'

export function takes({ path, headers, query }: RouteMatch, request: Request): boolean {
  return (
    pathTakes(path, request.path) &&
    headers.every((one) => headerTakes(one, request.headers.get(one.name.toLowerCase()))) &&
    query.every((one) => queryTakes(one, request.query))
  )
}

export function pathTakes({ kind, value }: PathMatch, path: string): boolean {
  if (kind === 'exact') return path === value
  if (kind === 'prefix') return path.startsWith(value)
  if (kind === 'segment') return path === value || path.startsWith(`${value}/`)
  return isWhole(value, path)
}

/** `given`: undefined where the request has no such header. */
export function headerTakes(match: HeaderMatch, given: string | undefined): boolean {
  const { kind, invert } = match
  if (kind === 'present') return (given !== undefined) !== invert
  // A header that is not there matches nothing, and neither does its inverse, unless it counts as empty.
  if (given === undefined && !match.missingAsEmpty) return false
  return textTakes(kind, match.value, given ?? '', match.ignoreCase) !== invert
}

/** Of a parameter that is there several times the first one counts. */
function queryTakes(match: QueryMatch, query: Request['query']): boolean {
  const given = query.find(([name]) => name === match.name)?.[1]
  if (given === undefined) return false
  return match.kind === 'present' || textTakes(match.kind, match.value, given, match.ignoreCase)
}

type TextKind = Exclude<QueryMatch['kind'], 'present'>

function textTakes(kind: TextKind, wanted: string, given: string, ignoreCase: boolean): boolean {
  if (kind === 'regex') return isWhole(wanted, given)
  const [a, b] = ignoreCase ? [wanted.toLowerCase(), given.toLowerCase()] : [wanted, given]
  if (kind === 'exact') return a === b
  if (kind === 'prefix') return b.startsWith(a)
  if (kind === 'suffix') return b.endsWith(a)
  return b.includes(a)
}

function isWhole(expression: string, text: string): boolean {
  return RE2JS.compile(expression).matcher(text).matches()
}
