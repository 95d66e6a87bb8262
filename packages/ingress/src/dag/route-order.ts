/**
 * The order in which Envoy tries the routes of a host, and which routes are the same one. A total order: exact
 * paths before regexes before prefixes, the more specific first, then more conditions first, then by the text of
 * the conditions, so that neither creation order nor map order shows.
 */
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch } from './match.ts'
import type { Route } from './virtual-host.ts'

/** Routes with the same identity answer the same requests. */
export function identityOf(match: RouteMatch): string {
  const headers = match.headers.map(headerText).toSorted()
  const query = match.query.map(queryText).toSorted()
  return JSON.stringify([match.path.kind, match.path.value, headers, query])
}

/** Of routes with the same identity the last one stays. */
export function orderRoutes(routes: readonly Route[]): readonly Route[] {
  const byIdentity = new Map(routes.map((route) => [identityOf(route.match), route]))
  return [...byIdentity.values()].toSorted((a, b) => compareMatches(a.match, b.match))
}

export function compareMatches(a: RouteMatch, b: RouteMatch): number {
  return (
    comparePaths(a.path, b.path) ||
    Number(hasMethod(b)) - Number(hasMethod(a)) ||
    headerCount(b) - headerCount(a) ||
    b.query.length - a.query.length ||
    compareLists(a.headers.map(headerText).toSorted(), b.headers.map(headerText).toSorted()) ||
    compareLists(a.query.map(queryText).toSorted(), b.query.map(queryText).toSorted())
  )
}

const pathRank = { exact: 0, regex: 1, prefix: 2, segment: 2 } as const

function comparePaths(a: PathMatch, b: PathMatch): number {
  const rank = pathRank[a.kind] - pathRank[b.kind]
  if (rank !== 0) return rank
  const longer = a.kind === 'exact' ? 0 : b.value.length - a.value.length
  return longer || compareText(b.value, a.value) || compareText(b.kind, a.kind)
}

const headerRank = { exact: 0, regex: 1, contains: 2, present: 3 } as const
const queryRank = { exact: 0, regex: 1, prefix: 2, suffix: 3, contains: 4, present: 5 } as const

function headerText(match: HeaderMatch): string {
  const flags = [match.invert, match.ignoreCase, match.missingAsEmpty].map(Number).join('')
  return `${match.name.toLowerCase()}\0${headerRank[match.kind]}\0${match.value}\0${flags}`
}

function queryText(match: QueryMatch): string {
  return `${match.name}\0${queryRank[match.kind]}\0${match.value}\0${Number(match.ignoreCase)}`
}

function hasMethod(match: RouteMatch): boolean {
  return match.headers.some((header) => header.name === ':method')
}

function headerCount(match: RouteMatch): number {
  return match.headers.filter((header) => header.name !== ':method').length
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [index, text] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    const order = compareText(text, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
