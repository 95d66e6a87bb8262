/** What Envoy refuses of an HTTPProxy, in words that a person can do something with. */
import type { Route } from '@landfall/ingress/routing'
import type { ClusterView } from '../cluster-view.ts'
import type { Places } from '../observed.ts'
import { adviceOn, isOfPattern } from './advice.ts'
import { translated } from './translated.ts'

const mostRules = 3

/** Said of the HTTPProxy. Which regular expression it is, Envoy does not say. @param words as the condition has them @param proxy its key */
export function refusalText(words: string, routes: readonly Route[], proxy: string): string {
  return `${whatIsRefused(words, routes, proxy)}; ${reachOf(words)}`
}

/** How far it reaches, by what was refused: a table that hosts share, or something of its own. */
function reachOf(words: string): string {
  if (/\broutes "?ingress_http\b/.test(words))
    return 'this reaches every host without TLS, whose changes wait too: on these Envoys they share a table'
  if (/\b(scopes|routes) /.test(words)) return 'this reaches this host alone, all others go on'
  return 'this reaches the routes to it alone, everything else goes on'
}

/** What to do, for the HTTPProxy of that key. */
export function adviceOnRefusal(proxy: string, words: string, places: Places): string {
  return adviceOn('EnvoyRefused', { kind: 'HTTPProxy', name: proxy, places }, words)
}

function whatIsRefused(words: string, routes: readonly Route[], proxy: string): string {
  const plain = words
    .replaceAll(/host "[^"]*": \w+ "[^"]*": /g, '')
    .replaceAll(/\w+ \S+ of content [0-9a-f]+ \([a-z-]+\), by Envoy (\S+): /g, '')
  if (!isOfPattern(words)) return `Envoy refuses what it asks for: ${plain}`
  const rules = [...new Set(routes.filter(hasPattern).map((route) => ruleOf(route, proxy)))]
  const [first] = rules
  if (first === undefined) return `Envoy cannot compile a regular expression: ${plain}`
  const which =
    rules.length === 1
      ? `the regular expression of ${first}`
      : `one of the regular expressions of ${listed(rules)}`
  return `Envoy cannot compile ${which}: ${plain}`
}

/** Of the virtual hosts of that name. */
export function routesOf(view: ClusterView, host: string): readonly Route[] {
  return [...translated(view).virtualHosts()]
    .filter((one) => one.host === host)
    .flatMap(({ plain, secure }) => [...plain, ...(secure?.kind === 'http' ? secure.routes : [])])
}

function listed(rules: readonly string[]): string {
  const more = rules.length > mostRules ? [`and ${rules.length - mostRules} more`] : []
  return [...rules.slice(0, mostRules), ...more].join(', ')
}

/** `spec.routes[0]`; of an included HTTPProxy with its name. */
function ruleOf({ owner, rule }: Route, proxy: string): string {
  return owner === `HTTPProxy/${proxy}` ? rule : `${rule} of ${owner.replace('/', ' ')}`
}

/** Whether a regular expression decides what it takes. */
function hasPattern({ match: { path, headers, query } }: Route): boolean {
  return [path, ...headers, ...query].some(({ kind }) => kind === 'regex')
}
