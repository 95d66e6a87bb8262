/**
 * Which chain takes a connection, by the server name of its handshake (Listener.filter_chain_matcher). The matcher
 * is apart from the chains: a host more or less changes no chain, and so drains no connection.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { StringValueSchema } from '@bufbuild/protobuf/wkt'
import {
  ServerNameInputSchema,
  TransportProtocolInputSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/matching/common_inputs/network/v3/network_inputs'
import type { MatcherSchema } from '@envoyproxy/envoy-types/xds/type/matcher/v3/matcher'
import { typed } from './message.ts'

type Matcher = MessageInitShape<typeof MatcherSchema>
type OnMatch = NonNullable<Matcher['onNoMatch']>

export interface ChainHosts {
  readonly chain: string
  /** DNS names, or `*.` and a DNS name, which takes all names below it. */
  readonly hosts: Iterable<string>
}

/** One of the wildcard hosts stands for the name too, however many labels it has. */
export function isBelow(host: string, wildcards: { has(name: string): boolean }): boolean {
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1))
    if (wildcards.has(`*${host.slice(dot)}`)) return true
  return false
}

/** @param rest takes TLS that no host stands for; undefined: the connection is closed */
export function chainMatcher(chains: readonly ChainHosts[], rest: string | undefined): Matcher {
  const pairs = chains.flatMap(({ chain, hosts }) => [...hosts].map((host) => [host, chain] as const))
  const sorted = pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const exact = sorted.filter(([host]) => !host.startsWith('*.'))
  const wildcards = sorted.filter(([host]) => host.startsWith('*.'))
  const afterAll = rest === undefined ? undefined : overTls(rest)
  const afterExact = wildcards.length === 0 ? afterAll : below(wildcards, afterAll)
  if (exact.length === 0) return otherwise(afterExact)
  return {
    matcherType: {
      case: 'matcherTree',
      value: {
        input: serverName,
        treeType: {
          case: 'exactMatchMap',
          value: { map: Object.fromEntries(exact.map(([host, chain]) => [host, take(chain)])) },
        },
      },
    },
    ...otherwise(afterExact),
  }
}

/** The longest name first. */
function below(wildcards: readonly (readonly [string, string])[], next: OnMatch | undefined): OnMatch {
  const byLength = wildcards.toSorted(([a], [b]) => b.length - a.length)
  const matchers = byLength.map(([host, chain]) => ({
    predicate: {
      matchType: {
        case: 'singlePredicate' as const,
        value: {
          input: serverName,
          matcher: {
            case: 'valueMatch' as const,
            value: { matchPattern: { case: 'suffix' as const, value: host.slice(1) } },
          },
        },
      },
    },
    onMatch: take(chain),
  }))
  const matcher = { matcherType: { case: 'matcherList' as const, value: { matchers } }, ...otherwise(next) }
  return { onMatch: { case: 'matcher', value: matcher } }
}

function otherwise(next: OnMatch | undefined): Pick<Matcher, 'onNoMatch'> {
  return next === undefined ? {} : { onNoMatch: next }
}

/** Takes any connection in which TLS is spoken. */
function overTls(chain: string): OnMatch {
  const input = typed('transport_protocol', TransportProtocolInputSchema, {})
  const value = { map: { tls: take(chain) } }
  const tree = { input, treeType: { case: 'exactMatchMap' as const, value } }
  return { onMatch: { case: 'matcher', value: { matcherType: { case: 'matcherTree', value: tree } } } }
}

const serverName = typed('server_name', ServerNameInputSchema, {})

function take(chain: string): OnMatch {
  return { onMatch: { case: 'action', value: typed(chain, StringValueSchema, { value: chain }) } }
}
