/**
 * Adj-RIB-Out of one established session: what was sent, against what shall be.
 *
 * In: what shall be, whole or change by change. Out: one UPDATE at a time from `next`, as fast as the peer reads. What
 * has not been taken when it changes again is decided anew, so that a slow peer gets the latest state and not its
 * history, and nothing piles up. A change costs what it changes. New routes leave before withdrawals; after the first
 * round come the marks of its end (RFC 4724), if the peer wants them.
 */
import type { Family, Prefix } from '@landfall/netip'
import {
  endOfRib,
  familyOf,
  packAnnouncement,
  packWithdrawal,
  type RouteRefreshMessage,
  type SessionContext,
  type UpdateMessage,
  unicastOf,
} from '../codec/index.ts'
import {
  type AttributeSet,
  type DesiredRoute,
  keyOfPrefix,
  type PrefixKey,
  type UnsentRoute,
} from './desired-route.ts'

interface SentRoute {
  readonly prefix: Prefix
  /** Undefined: the peer asked for it again. */
  readonly setKey: string | undefined
}

/** Waits to be announced. */
interface Group {
  readonly set: AttributeSet
  readonly prefixes: Map<PrefixKey, Prefix>
}

type Planned =
  | {
      readonly kind: 'announce'
      readonly message: UpdateMessage
      readonly setKey: string
      readonly prefixes: readonly Prefix[]
    }
  | { readonly kind: 'withdraw'; readonly message: UpdateMessage; readonly prefixes: readonly Prefix[] }
  | { readonly kind: 'endOfRib'; readonly message: UpdateMessage; readonly family: Family }
  | { readonly kind: 'refreshMark'; readonly message: RouteRefreshMessage }

export interface AdjOutOptions {
  readonly context: SessionContext
  /** Families whose first round is closed with a mark. */
  readonly endOfRib: readonly Family[]
  /** The peer wants the begin and the end of a refresh marked (RFC 7313). */
  readonly markRefresh: boolean
}

/** What waits to be sent. */
export interface Changes {
  readonly announced: number
  readonly withdrawn: number
}

const families = [4, 6] as const
const nothing: readonly Planned[] = []
/** Packed at a time, lest a change of a long queue cost all of it. */
const packedAtOnce = 8192

export class AdjOut {
  readonly #context: SessionContext
  readonly #sent = new Map<PrefixKey, SentRoute>()
  readonly #desired = new Map<PrefixKey, DesiredRoute>()
  /** By attribute set. */
  readonly #groups: Record<Family, Map<string, Group>> = { 4: new Map(), 6: new Map() }
  readonly #gone: Record<Family, Map<PrefixKey, Prefix>> = { 4: new Map(), 6: new Map() }
  readonly #refused = new Map<PrefixKey, UnsentRoute>()
  readonly #fitting = new WeakMap<AttributeSet, boolean>()
  readonly #markRefresh: boolean
  #marks: readonly Family[]
  /** Refreshes that are not through: whether the peer knows that they began. */
  readonly #refreshes = new Map<Family, boolean>()
  /** Refreshes that wait for the end of the first round, which no begin may come before (RFC 7313 §4.1). */
  readonly #later = new Set<Family>()
  /** The next messages; what is in them waits until they are taken. */
  #packed: readonly Planned[] = nothing
  #taken = 0
  #announcing = 0

  constructor(options: AdjOutOptions) {
    this.#context = options.context
    this.#marks = options.endOfRib
    this.#markRefresh = options.markRefresh
  }

  /** Prefixes that the peer has from us. */
  get announced(): number {
    return this.#sent.size
  }

  /** Prefixes that wait to be announced or withdrawn. */
  get pending(): number {
    return this.waiting.announced + this.waiting.withdrawn
  }

  get waiting(): Changes {
    return { announced: this.#announcing, withdrawn: this.#gone[4].size + this.#gone[6].size }
  }

  /** Prefixes that shall be announced. */
  get desired(): number {
    return this.#desired.size
  }

  /** Routes whose attributes fill a whole message. */
  get unsent(): readonly UnsentRoute[] {
    return [...this.#refused.values()]
  }

  desiredFor(key: PrefixKey): DesiredRoute | undefined {
    return this.#desired.get(key)
  }

  /** Of what shall be announced. */
  keys(): Iterable<PrefixKey> {
    return this.#desired.keys()
  }

  setDesired(desired: ReadonlyMap<PrefixKey, DesiredRoute>): Changes {
    for (const key of this.#desired.keys()) if (!desired.has(key)) this.change(key, undefined)
    for (const [key, route] of desired) this.change(key, route)
    return this.waiting
  }

  /** `route` undefined: it shall not be announced. */
  change(key: PrefixKey, route: DesiredRoute | undefined): void {
    const before = this.#desired.get(key)
    if (before?.set.key === route?.set.key) return
    if (before !== undefined) this.#leaveGroup(before.set, key)
    this.#refused.delete(key)
    if (route === undefined) this.#desired.delete(key)
    else this.#desired.set(key, route)
    this.#place(key, route)
  }

  /** Everything of the family is announced again. */
  refresh(family: Family): void {
    if (this.#markRefresh && this.#marks.includes(family)) return void this.#later.add(family)
    for (const [key, { prefix }] of this.#sent) {
      if (prefix.ip.family !== family) continue
      this.#sent.set(key, { prefix, setKey: undefined })
      this.#place(key, this.#desired.get(key))
    }
    if (this.#markRefresh) this.#refreshes.set(family, false)
    this.#packed = nothing
  }

  /** The next message to write, which from then on counts as sent. */
  next(): UpdateMessage | RouteRefreshMessage | undefined {
    if (this.#taken >= this.#packed.length) {
      this.#packed = this.#pack()
      this.#taken = 0
    }
    const planned = this.#packed[this.#taken++]
    if (planned === undefined) return undefined
    switch (planned.kind) {
      case 'announce':
        for (const prefix of planned.prefixes) this.#announced(prefix, planned.setKey)
        break
      case 'withdraw':
        for (const prefix of planned.prefixes) {
          this.#sent.delete(keyOfPrefix(prefix))
          this.#gone[prefix.ip.family].delete(keyOfPrefix(prefix))
        }
        break
      case 'endOfRib':
        this.#marks = this.#marks.filter((family) => family !== planned.family)
        if (this.#later.delete(planned.family)) this.refresh(planned.family)
        break
      default:
        this.#marked(planned.message)
    }
    return planned.message
  }

  /** Has it wait for what is to be done, if anything. What the peer has of a route that is refused must not stay. */
  #place(key: PrefixKey, route: DesiredRoute | undefined): void {
    this.#packed = nothing
    const sent = this.#sent.get(key)
    const fits = route !== undefined && this.#fits(route.set)
    if (fits && sent?.setKey !== route.set.key) this.#joinGroup(route.set, key, route.prefix)
    if (route !== undefined && !fits)
      this.#refused.set(key, { prefix: route.prefix, reason: 'attributesTooLong' })
    const family = (route ?? sent)?.prefix.ip.family
    if (family === undefined) return
    if (sent !== undefined && !fits) this.#gone[family].set(key, sent.prefix)
    else this.#gone[family].delete(key)
  }

  #joinGroup(set: AttributeSet, key: PrefixKey, prefix: Prefix): void {
    const groups = this.#groups[set.family]
    let group = groups.get(set.key)
    if (group === undefined) groups.set(set.key, (group = { set, prefixes: new Map() }))
    if (!group.prefixes.has(key)) this.#announcing++
    group.prefixes.set(key, prefix)
  }

  #leaveGroup({ family, key: setKey }: Pick<AttributeSet, 'family' | 'key'>, key: PrefixKey): void {
    const group = this.#groups[family].get(setKey)
    if (group?.prefixes.delete(key) !== true) return
    this.#announcing--
    if (group.prefixes.size === 0) this.#groups[family].delete(setKey)
  }

  #fits(set: AttributeSet): boolean {
    const known = this.#fitting.get(set)
    if (known !== undefined) return known
    const fits = packAnnouncement({ ...set, prefixes: [] }, this.#context) !== undefined
    this.#fitting.set(set, fits)
    return fits
  }

  #announced(prefix: Prefix, setKey: string): void {
    const key = keyOfPrefix(prefix)
    this.#sent.set(key, { prefix, setKey })
    this.#leaveGroup({ family: prefix.ip.family, key: setKey }, key)
  }

  /** What comes next, of one kind. */
  #pack(): readonly Planned[] {
    const begins = this.#refreshMarks(1)
    if (begins.length > 0) return begins
    for (const family of families) {
      const [group] = this.#groups[family].values()
      if (group !== undefined) return this.#announce(group)
    }
    for (const family of families) if (this.#gone[family].size > 0) return this.#withdraw(family)
    const [mark] = this.#marks
    if (mark !== undefined) return [{ kind: 'endOfRib', message: endOfRib(mark), family: mark }]
    return this.#refreshMarks(2)
  }

  #announce({ set, prefixes }: Group): readonly Planned[] {
    const some = firstOf(prefixes)
    const messages = packAnnouncement({ ...set, prefixes: some }, this.#context) ?? []
    return whole(messages, some.length < prefixes.size).map((message) => ({
      kind: 'announce',
      message,
      setKey: set.key,
      prefixes: prefixesOf(message),
    }))
  }

  #withdraw(family: Family): readonly Planned[] {
    const gone = this.#gone[family]
    const some = firstOf(gone)
    const messages = packWithdrawal(family, some, this.#context)
    return whole(messages, some.length < gone.size).map((message) => ({
      kind: 'withdraw',
      message,
      prefixes: prefixesOf(message),
    }))
  }

  #marked({ family, subtype }: RouteRefreshMessage): void {
    const known = familyOf(family)
    if (known === undefined) return
    if (subtype === 1) this.#refreshes.set(known, true)
    else this.#refreshes.delete(known)
  }

  #refreshMarks(subtype: 1 | 2): readonly Planned[] {
    return [...this.#refreshes]
      .filter(([, begun]) => subtype === 2 || !begun)
      .map(([family]) => ({
        kind: 'refreshMark',
        message: { kind: 'routeRefresh', family: unicastOf(family), subtype },
      }))
  }
}

function firstOf(waiting: ReadonlyMap<PrefixKey, Prefix>): readonly Prefix[] {
  if (waiting.size <= packedAtOnce) return [...waiting.values()]
  const some: Prefix[] = []
  for (const prefix of waiting.values()) if (some.push(prefix) >= packedAtOnce) break
  return some
}

/** With more to come the last one may not be full: what is in it goes with the rest. */
function whole(messages: readonly UpdateMessage[], more: boolean): readonly UpdateMessage[] {
  return more && messages.length > 1 ? messages.slice(0, -1) : messages
}

function prefixesOf(message: UpdateMessage): readonly Prefix[] {
  const first = message.attributes[0]
  if (first?.kind === 'mpReach' || first?.kind === 'mpUnreach') return first.prefixes
  return message.announced.length > 0 ? message.announced : message.withdrawn
}
