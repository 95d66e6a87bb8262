/** A route in a few words: what it takes, and the object and rule that made it. */
import { matchText, type RequestTrace, type Route } from '@landfall/ingress/routing'
import type { About } from '../facts/advice.ts'

/** Characters of what a route matches. */
const longest = 100

/** `prefix /cart, by HTTPProxy web/shop spec.routes[1]` */
export function routeText(route: Route): string {
  const match = matchText(route.match)
  return `${match.length > longest ? `${match.slice(0, longest)}…` : match}, by ${ruleText(route)}`
}

/** `HTTPProxy web/shop spec.routes[1]` */
export function ruleText({ owner, rule }: Route): string {
  return `${owner.replace('/', ' ')} ${rule}`
}

/** The object that a host is from. */
export function ownerOf({ root, served }: RequestTrace): Pick<About, 'kind' | 'name'> {
  if (root !== undefined) return { kind: 'HTTPProxy', name: root }
  const [first] = served?.kind === 'http' ? served.routes : []
  const [kind = '', ...key] = (first?.owner ?? '').split('/')
  return { kind, name: key.join('/') }
}
