/**
 * `pathRewritePolicy` of a route: what its prefix becomes. Where a host has only one of `/p` and `/p/`, the route is
 * split into both, so that slashes stay consistent: `/p` becomes `/r`, `/p/x` `/r/x`, and never `//x`.
 */
import type { HTTPProxyRoute } from '@landfall/api'
import type { PathMatch } from '../match.ts'
import { type Checked, error, ok, refused } from '../problem.ts'
import { identityOf } from '../route-order.ts'
import type { Route } from '../virtual-host.ts'
import { headerValueProblem } from './header-limits.ts'

/** The prefix in the place of the one that was matched; undefined: the path stays. */
export function readPrefixRewrite(
  field: string,
  policy: HTTPProxyRoute['pathRewritePolicy'],
  path: PathMatch,
): Checked<string | undefined> {
  const list = policy?.replacePrefix ?? []
  if (list.length === 0) return ok(undefined)
  const refuse = (reason: string, why: string) =>
    refused(error('PrefixReplaceError', reason, `${field}.pathRewritePolicy.replacePrefix: ${why}`))
  if (path.kind !== 'prefix') return refuse('MustHavePrefix', 'only a route with a prefix can replace it')
  const prefixes = list.map(({ prefix }) => prefix ?? '')
  if (prefixes.filter((prefix) => prefix === '').length > 1)
    return refuse('AmbiguousReplacement', 'more than one entry without a prefix')
  const twice = prefixes.find((prefix, index) => prefixes.indexOf(prefix) !== index)
  if (twice !== undefined) return refuse('DuplicateReplacement', `"${twice}" is there twice`)
  for (const { replacement } of list) {
    const why = headerValueProblem(replacement)
    if (why !== undefined) return refuse('ReplacementNotValid', why)
  }
  const entry =
    list.find(({ prefix }) => prefix === path.value) ?? list.find(({ prefix }) => (prefix ?? '') === '')
  return ok(entry?.replacement)
}

/** Adds the other of `/p` and `/p/` for each route that rewrites, unless the host has it. */
export function splitRewrites<T extends { readonly route: Route }>(routes: readonly T[]): readonly T[] {
  const present = new Set(routes.map(({ route }) => identityOf(route.match)))
  return routes.flatMap((one) => {
    const { action, match } = one.route
    if (action.kind !== 'forward' || action.prefixRewrite === undefined) return [one]
    const { path } = match
    if (path.kind !== 'prefix' || path.value === '/') return [one]
    const bare = path.value.replace(/\/$/, '')
    const other = path.value.endsWith('/') ? bare : `${bare}/`
    const otherMatch = { ...match, path: { ...path, value: other } }
    if (present.has(identityOf(otherMatch))) return [one]
    return [path.value, other].map((value) => ({
      ...one,
      route: {
        ...one.route,
        match: { ...match, path: { ...path, value } },
        action: { ...action, prefixRewrite: withSlash(action.prefixRewrite ?? '/', value.endsWith('/')) },
      },
    }))
  })
}

function withSlash(replacement: string, slash: boolean): string {
  const bare = replacement.replace(/\/+$/, '')
  return slash ? `${bare}/` : bare || '/'
}
