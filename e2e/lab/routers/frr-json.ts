// From the JSON of FRR's show commands to the routes and neighbours that tests ask about. Pure.
export interface NextHop {
  readonly ip: string
  readonly interface: string
}

export interface BgpRoute {
  readonly prefix: string
  /** Those in use, sorted; several for equal paths. */
  readonly nextHops: readonly NextHop[]
}

export interface BgpNeighbor {
  readonly address: string
  readonly remoteAs: number
  /** As FRR says it: `Established`, `Active`, … */
  readonly state: string
  /** Prefixes that this neighbour has sent, by family. */
  readonly accepted: Readonly<Record<'ipv4' | 'ipv6', number>>
  readonly uptimeMs: number
}

interface RouteJson {
  readonly selected?: boolean
  readonly nexthops?: readonly {
    readonly ip?: string
    readonly interfaceName?: string
    readonly active?: boolean
    readonly fib?: boolean
    readonly recursive?: boolean
    readonly duplicate?: boolean
  }[]
}

/** The answer to `show ip route bgp json` or `show ipv6 route bgp json`. */
export function parseRoutes(text: string): readonly BgpRoute[] {
  const table: Readonly<Record<string, readonly RouteJson[]>> = JSON.parse(text)
  return Object.entries(table)
    .flatMap(([prefix, entries]) =>
      entries.filter((e) => e.selected === true).map((e) => ({ prefix, nextHops: usedHops(e) })),
    )
    .toSorted((a, b) => compare(a.prefix, b.prefix))
}

function usedHops(entry: RouteJson): readonly NextHop[] {
  return (entry.nexthops ?? [])
    .filter((h) => h.fib === true && h.recursive !== true && h.duplicate !== true && h.ip !== undefined)
    .map((h) => ({ ip: h.ip ?? '', interface: h.interfaceName ?? '' }))
    .toSorted((a, b) => compare(a.ip, b.ip))
}

interface NeighborJson {
  readonly remoteAs?: number
  readonly bgpState?: string
  readonly bgpTimerUpMsec?: number
  readonly addressFamilyInfo?: Readonly<
    Record<string, { readonly acceptedPrefixCounter?: number } | undefined>
  >
}

/** The answer to `show bgp neighbors json`. */
export function parseNeighbors(text: string): readonly BgpNeighbor[] {
  const table: Readonly<Record<string, NeighborJson>> = JSON.parse(text)
  return Object.entries(table)
    .filter(([, n]) => n.remoteAs !== undefined)
    .map(([address, n]) => ({
      address,
      remoteAs: n.remoteAs ?? 0,
      state: n.bgpState ?? '',
      uptimeMs: n.bgpTimerUpMsec ?? 0,
      accepted: {
        ipv4: n.addressFamilyInfo?.['ipv4Unicast']?.acceptedPrefixCounter ?? 0,
        ipv6: n.addressFamilyInfo?.['ipv6Unicast']?.acceptedPrefixCounter ?? 0,
      },
    }))
    .toSorted((a, b) => compare(a.address, b.address))
}

export interface BfdPeer {
  readonly address: string
  /** `up`, `down`, … */
  readonly status: string
}

/** The answer to `show bfd peers json`. */
export function parseBfdPeers(text: string): readonly BfdPeer[] {
  const peers: readonly { readonly peer?: string; readonly status?: string }[] = JSON.parse(text)
  return peers
    .map((p) => ({ address: p.peer ?? '', status: p.status ?? '' }))
    .toSorted((a, b) => compare(a.address, b.address))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
