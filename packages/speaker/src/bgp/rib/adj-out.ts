/**
 * Adj-RIB-Out of one established session: what was sent, against what shall be.
 *
 * In: the desired routes, whole, whenever they change. Out: one UPDATE at a time from `next`, as fast as the peer
 * reads. What has not been taken when the desired routes change again is decided anew, so that a slow peer gets the
 * latest state and not its history, and nothing piles up. New routes leave before withdrawals; after the first
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

type Planned =
  | {
      readonly kind: 'announce'
      readonly message: UpdateMessage
      readonly setKey: string
      readonly prefixes: readonly Prefix[]
    }
  | { readonly kind: 'withdraw'; readonly message: UpdateMessage; readonly prefixes: readonly Prefix[] }
  | { readonly kind: 'endOfRib'; readonly message: UpdateMessage }
  | { readonly kind: 'refreshMark'; readonly message: RouteRefreshMessage }

export interface AdjOutOptions {
  readonly context: SessionContext
  /** Families whose first round is closed with a mark. */
  readonly endOfRib: readonly Family[]
  /** The peer wants the begin and the end of a refresh marked (RFC 7313). */
  readonly markRefresh: boolean
}

export interface Changes {
  readonly announced: number
  readonly withdrawn: number
}

export class AdjOut {
  readonly #context: SessionContext
  readonly #sent = new Map<PrefixKey, SentRoute>()
  #desired: ReadonlyMap<PrefixKey, DesiredRoute> = new Map()
  readonly #markRefresh: boolean
  #marks: readonly Family[]
  /** Refreshes that are not through: whether the peer knows that they began. */
  readonly #refreshes = new Map<Family, boolean>()
  #queue: readonly Planned[] = []
  #taken = 0
  #pending = 0
  #unsent: readonly UnsentRoute[] = []

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
    return this.#pending
  }

  /** Routes whose attributes fill a whole message. */
  get unsent(): readonly UnsentRoute[] {
    return this.#unsent
  }

  /** Answers with the prefixes that this leaves to be sent. */
  setDesired(desired: ReadonlyMap<PrefixKey, DesiredRoute>): Changes {
    this.#desired = desired
    this.#plan()
    return { announced: this.#waiting('announce'), withdrawn: this.#waiting('withdraw') }
  }

  /** Everything of the family is announced again. */
  refresh(family: Family): void {
    for (const [key, route] of this.#sent) {
      if (route.prefix.ip.family === family) this.#sent.set(key, { prefix: route.prefix, setKey: undefined })
    }
    if (this.#markRefresh) this.#refreshes.set(family, false)
    this.#plan()
  }

  /** The next message to write, which from then on counts as sent. */
  next(): UpdateMessage | RouteRefreshMessage | undefined {
    const planned = this.#queue[this.#taken]
    if (planned === undefined) return undefined
    this.#taken++
    switch (planned.kind) {
      case 'announce':
        for (const prefix of planned.prefixes) {
          this.#sent.set(keyOfPrefix(prefix), { prefix, setKey: planned.setKey })
        }
        this.#pending -= planned.prefixes.length
        break
      case 'withdraw':
        for (const prefix of planned.prefixes) this.#sent.delete(keyOfPrefix(prefix))
        this.#pending -= planned.prefixes.length
        break
      case 'endOfRib':
        this.#marks = this.#marks.slice(1)
        break
      default:
        this.#marked(planned.message)
    }
    return planned.message
  }

  #plan(): void {
    const unsent: UnsentRoute[] = []
    const announcements = [...this.#groups()].flatMap(([set, prefixes]) =>
      this.#announce(set, prefixes, unsent),
    )
    const refused = new Set(unsent.map(({ prefix }) => keyOfPrefix(prefix)))
    const withdrawals = this.#withdrawals(refused)
    const marks = this.#marks.map((family): Planned => ({ kind: 'endOfRib', message: endOfRib(family) }))
    const [begins, ends] = [this.#refreshMarks(1), this.#refreshMarks(2)]
    this.#queue = [...begins, ...announcements, ...withdrawals, ...marks, ...ends]
    this.#taken = 0
    this.#unsent = unsent
    this.#pending = this.#waiting('announce') + this.#waiting('withdraw')
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

  #waiting(kind: 'announce' | 'withdraw'): number {
    return this.#queue.reduce((sum, one) => sum + (one.kind === kind ? one.prefixes.length : 0), 0)
  }

  /** What is new or changed, by attribute set. */
  #groups(): ReadonlyMap<AttributeSet, readonly Prefix[]> {
    const groups = new Map<AttributeSet, Prefix[]>()
    for (const [key, { prefix, set }] of this.#desired) {
      if (this.#sent.get(key)?.setKey === set.key) continue
      const group = groups.get(set)
      if (group === undefined) groups.set(set, [prefix])
      else group.push(prefix)
    }
    return groups
  }

  #announce(set: AttributeSet, prefixes: readonly Prefix[], unsent: UnsentRoute[]): readonly Planned[] {
    const { family, nextHop, attributes } = set
    const messages = packAnnouncement({ family, nextHop, attributes, prefixes }, this.#context)
    if (messages === undefined) {
      unsent.push(...prefixes.map((prefix): UnsentRoute => ({ prefix, reason: 'attributesTooLong' })))
      return []
    }
    return messages.map((message) => ({
      kind: 'announce',
      message,
      setKey: set.key,
      prefixes: prefixesOf(message),
    }))
  }

  /** What the peer has and shall not have, `refused` included: an older form of it must not stay there. */
  #withdrawals(refused: ReadonlySet<PrefixKey>): readonly Planned[] {
    const gone: Record<Family, Prefix[]> = { 4: [], 6: [] }
    for (const [key, { prefix }] of this.#sent) {
      if (!this.#desired.has(key) || refused.has(key)) gone[prefix.ip.family].push(prefix)
    }
    return ([4, 6] as const).flatMap((family) =>
      packWithdrawal(family, gone[family], this.#context).map(
        (message): Planned => ({ kind: 'withdraw', message, prefixes: prefixesOf(message) }),
      ),
    )
  }
}

function prefixesOf(message: UpdateMessage): readonly Prefix[] {
  const first = message.attributes[0]
  if (first?.kind === 'mpReach' || first?.kind === 'mpUnreach') return first.prefixes
  return message.announced.length > 0 ? message.announced : message.withdrawn
}
