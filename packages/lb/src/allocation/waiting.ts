/**
 * Those that wait for an address, by what they would take and by age. What one of them does not get, its like will
 * not get either: so whatever comes free costs as many tries as there are kinds of wishes, not as there are Services.
 */
import type { Key } from '@landfall/kube/model'
import { type Config, poolNamed, poolOf } from '@landfall/metallb'
import { formatIP, type IP } from '@landfall/netip'
import { isOpenTo, pinnedPools } from './eligible-pools.ts'
import { byRequestAge, type Request } from './request.ts'

/** Requests that can be given the same, the oldest first. */
interface Group {
  readonly requests: Request[]
  /** The addresses that they ask for; none for any. */
  readonly wanted: readonly string[]
}

export class Waiting {
  readonly #groups = new Map<string, Group>()
  readonly #members = new Map<Key, { readonly request: Request; readonly likeness: string }>()
  /** Groups that take any address. */
  readonly #any = new Set<Group>()
  /** Groups that ask for the address. */
  readonly #asking = new Map<string, Set<Group>>()

  keys(): ReadonlySet<Key> {
    return new Set(this.#members.keys())
  }

  /** @param held what it has already, of the two families that it wants */
  set(request: Request, held: readonly IP[], config: Config): void {
    const likeness = likenessOf(request, held, config)
    this.delete(request.key)
    this.#members.set(request.key, { request, likeness })
    const group = this.#groups.get(likeness) ?? this.#open(likeness, request)
    group.requests.splice(placeOf(group.requests, request), 0, request)
  }

  delete(key: Key): void {
    const member = this.#members.get(key)
    if (member === undefined) return
    this.#members.delete(key)
    const group = this.#groups.get(member.likeness)
    if (group === undefined) return
    group.requests.splice(placeOf(group.requests, member.request), 1)
    if (group.requests.length === 0) this.#close(member.likeness, group)
  }

  /** @param freed addresses that came free, wholly or for some */
  turnsFor(freed: readonly IP[]): Turns {
    const groups = new Set(this.#any)
    for (const ip of freed) for (const group of this.#asking.get(formatIP(ip)) ?? []) groups.add(group)
    return new Turns([...groups].map(({ requests }) => requests))
  }

  #open(likeness: string, { wanted }: Request): Group {
    const group: Group = { requests: [], wanted: wanted.kind === 'addresses' ? wanted.ips.map(formatIP) : [] }
    this.#groups.set(likeness, group)
    if (group.wanted.length === 0) this.#any.add(group)
    for (const ip of group.wanted) this.#asking.set(ip, (this.#asking.get(ip) ?? new Set()).add(group))
    return group
  }

  #close(likeness: string, group: Group): void {
    this.#groups.delete(likeness)
    this.#any.delete(group)
    for (const ip of group.wanted) {
      const asking = this.#asking.get(ip)
      asking?.delete(group)
      if (asking?.size === 0) this.#asking.delete(ip)
    }
  }
}

/** Whose turn it is, by age over all groups; a group whose oldest still waits after its turn has no more turns. */
export class Turns {
  /** By the age of their oldest, the oldest last. */
  readonly #left: (readonly Request[])[]
  #last: { readonly group: readonly Request[]; readonly request: Request } | undefined

  constructor(groups: readonly (readonly Request[])[]) {
    this.#left = groups.filter(({ length }) => length > 0).toSorted((a, b) => byOldest(b, a))
  }

  /** The next, if it is older than the one given; taking its turn takes it out of the waiting, or ends its group's. */
  next(before?: Request): Request | undefined {
    this.#goOn()
    const group = this.#left.at(-1)
    const request = group?.[0]
    if (group === undefined || request === undefined) return undefined
    if (before !== undefined && byRequestAge(before, request) < 0) return undefined
    this.#left.pop()
    this.#last = { group, request }
    return request
  }

  #goOn(): void {
    const { group = [], request } = this.#last ?? {}
    this.#last = undefined
    if (group[0] === undefined || group[0] === request) return
    let low = 0
    let high = this.#left.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (byOldest(this.#left[middle] ?? [], group) > 0) low = middle + 1
      else high = middle
    }
    this.#left.splice(low, 0, group)
  }
}

/** Services with the same text can be given the same. */
function likenessOf(request: Request, held: readonly IP[], config: Config): string {
  const { wanted, sharing, families, primaryFamily, ipFamilyPolicy, pool } = request
  const has = held.map((ip) => [ip.family, poolOf(config, ip)?.name])
  const terms = [wanted.kind, families, primaryFamily, ipFamilyPolicy, pool, sharing, has]
  if (wanted.kind === 'addresses') {
    const pools = wanted.ips.map((ip) => poolOf(config, ip))
    const open = pools.map((one) => one !== undefined && isOpenTo(one, request))
    return JSON.stringify([terms, wanted.ips.map(formatIP), open])
  }
  const named = poolNamed(config, pool)
  const open =
    pool === ''
      ? pinnedPools(config, request).map(({ name }) => name)
      : named !== undefined && isOpenTo(named, request)
  return JSON.stringify([terms, open])
}

function byOldest([a]: readonly Request[], [b]: readonly Request[]): number {
  return a === undefined || b === undefined ? 0 : byRequestAge(a, b)
}

/** Where the request is, or would be. */
function placeOf(requests: readonly Request[], request: Request): number {
  let low = 0
  let high = requests.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = requests[middle]
    if (there !== undefined && byRequestAge(there, request) < 0) low = middle + 1
    else high = middle
  }
  return low
}
