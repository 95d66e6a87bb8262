/**
 * What one client asked for of one type, what it holds, and what is on its way: the bookkeeping of delta xDS
 * (xDS protocol, "Incremental xDS"). In: requests and acknowledgements. Out: names to look at again (`dirty`).
 *
 * "Held" is what the client acknowledged, or said that it has when the stream began; what was sent is not held.
 */
import type { Resource, ResourceType } from '../resource.ts'
import { sentWhole } from './limits.ts'
import { remembered } from './refusals.ts'

/** A held resource; one known only from `initial_resource_versions` has no references. */
export type Held = Pick<Resource, 'version' | 'references'>

export function isResource(held: Held): held is Resource {
  return 'bytes' in held
}

export interface Flight {
  readonly nonce: string
  readonly resources: readonly Resource[]
  readonly removed: readonly string[]
}

export interface SubscriptionRequest {
  readonly subscribe: readonly string[]
  readonly unsubscribe: readonly string[]
  readonly initialVersions: ReadonlyMap<string, string>
  /** It has something by this stream's type already, whosoever that is from. */
  readonly returns?: boolean
}

/** What is to be done about a name. */
export type Verdict =
  | { readonly kind: 'send'; readonly resource: Resource }
  | { readonly kind: 'absent' | 'leave' | 'kept' }
  /** `resource` is what is held, now that it is known. */
  | { readonly kind: 'settled'; readonly resource?: Resource }
  | { readonly kind: 'blocked'; readonly until: number }

/** Types for which a first request without any name means all of them. */
const legacyWildcard: ReadonlySet<ResourceType> = new Set(['clusters', 'listeners', 'scopes', 'runtime'])

export class Subscription {
  readonly type: ResourceType
  started = false
  wildcard = false
  readonly names = new Set<string>()
  /** Names with capitals in them, by the same without. */
  readonly #spelled = new Map<string, Set<string>>()
  readonly held = new Map<string, Held>()
  /** Names to compare with the target again. */
  readonly dirty = new Set<string>()
  /** Names that are owed an answer even if it is the one already held, or that there is none. */
  readonly forced = new Set<string>()
  /** Named, and answered that there is none. */
  readonly absent = new Set<string>()
  /** Held, not wanted any more, waiting until nothing needs them. */
  readonly leaving = new Set<string>()
  /** Waiting for what they refer to: name → when the wait ends (infinite: with the next change). */
  readonly blocked = new Map<string, number>()
  /** Held on to, because what should replace it was refused. */
  readonly kept = new Set<string>()
  /** Members of a refused response, to be sent one at a time. */
  readonly suspects = new Set<string>()
  /** Of a refused response, and not taken since: an Envoy may remember their bytes without having applied them. */
  readonly spoilt = new Set<string>()
  /** Name → the versions that this very client refused since it took what is wanted, the newest last. */
  readonly refused = new Map<string, readonly string[]>()
  /**
   * The first wildcard request is answered even if there is nothing, unless the client has something already; and so is
   * who took a part of what it refused, if all that it has is known: what it has becomes the version that it tells.
   */
  owesAnswer = false
  flight: Flight | undefined
  /** Names that the response in flight takes away. */
  #removing: ReadonlySet<string> = new Set()
  /** The client has taken a part of what it refused, and acknowledged nothing since. */
  #tookPart = false
  /** It came with something that is not known, and has acknowledged nothing since: each whole list takes that away. */
  #hasUnknown = false

  constructor(type: ResourceType) {
    this.type = type
  }

  covers(name: string): boolean {
    return this.wildcard || this.names.has(name)
  }

  /** The client has an answer for this name, or will by the time it reads what is sent next. */
  answered(name: string): boolean {
    return (
      this.held.has(name) ||
      this.absent.has(name) ||
      this.refused.has(name) ||
      this.flight?.resources.some((resource) => resource.name === name) === true
    )
  }

  /** The client has this content, and nothing that is on its way takes it away. */
  keeps(name: string, version: string): boolean {
    const leaves = this.flight !== undefined && this.#removing.has(name)
    return this.held.get(name)?.version === version && !leaves
  }

  hasRefused(name: string, version: string | undefined): boolean {
    return version !== undefined && this.refused.get(name)?.includes(version) === true
  }

  /** Takes in the names of a request. `known` are all names of the type, asked for only by a wildcard. */
  request(message: SubscriptionRequest, known: () => Iterable<string>): void {
    const first = !this.started
    this.started = true
    const before = this.wildcard
    if (first) {
      for (const [name, version] of message.initialVersions) this.held.set(name, { version })
      this.#hasUnknown = message.returns === true && this.held.size === 0
      if (message.subscribe.length === 0 && legacyWildcard.has(this.type)) this.wildcard = true
    }
    for (const name of message.unsubscribe) this.#unsubscribe(name)
    for (const name of message.subscribe) {
      if (name === '*') this.#subscribeAll(known)
      else this.#subscribe(name, first && message.initialVersions.has(name))
    }
    if (this.wildcard && !before) {
      this.owesAnswer = this.held.size === 0
      for (const name of known()) this.dirty.add(name)
    }
    if (first) this.#compareInitial()
  }

  /** Resources that the client said it has: those it did not subscribe to are of no concern. */
  #compareInitial(): void {
    for (const name of this.held.keys()) {
      if (this.covers(name)) this.dirty.add(name)
      else this.held.delete(name)
    }
  }

  #subscribe(name: string, hasIt: boolean): void {
    this.names.add(name)
    this.#spell(name)
    this.absent.delete(name)
    this.dirty.add(name)
    if (!hasIt) this.forced.add(name)
  }

  #subscribeAll(known: () => Iterable<string>): void {
    if (this.wildcard) {
      // Asked again: it may have dropped everything in between.
      for (const name of known()) this.forced.add(name)
      for (const name of this.forced) this.dirty.add(name)
      this.owesAnswer = true
    }
    this.wildcard = true
  }

  #unsubscribe(name: string): void {
    if (name === '*') {
      if (!this.wildcard) return
      this.wildcard = false
      for (const held of this.held.keys()) if (!this.names.has(held)) this.#forget(held)
      for (const marked of [...this.dirty, ...this.leaving, ...this.blocked.keys()]) {
        if (!this.names.has(marked)) this.#forget(marked)
      }
      return
    }
    if (!this.names.delete(name)) return
    this.#unspell(name)
    if (this.wildcard) {
      // Still covered: say again what there is.
      this.forced.add(name)
      this.dirty.add(name)
    } else this.#forget(name)
  }

  #forget(name: string): void {
    this.held.delete(name)
    this.dirty.delete(name)
    this.forced.delete(name)
    this.absent.delete(name)
    this.leaving.delete(name)
    this.blocked.delete(name)
    this.kept.delete(name)
    this.suspects.delete(name)
    this.spoilt.delete(name)
    this.refused.delete(name)
  }

  /** A changed resource: looked at again if the client wants it. */
  touch(name: string): void {
    if (!this.started) return
    if (this.covers(name)) this.dirty.add(name)
    for (const spelled of this.#spelled.get(name) ?? []) this.dirty.add(spelled)
  }

  #spell(name: string): void {
    const low = name.toLowerCase()
    if (low !== name) this.#spelled.set(low, (this.#spelled.get(low) ?? new Set()).add(name))
  }

  #unspell(name: string): void {
    const low = name.toLowerCase()
    const spelled = this.#spelled.get(low)
    spelled?.delete(name)
    if (spelled?.size === 0) this.#spelled.delete(low)
  }

  /** Something is on its way, or will be without a further event from outside. */
  busy(): boolean {
    if (this.dirty.size > 0 || this.flight !== undefined || this.owesAnswer) return true
    for (const until of this.blocked.values()) if (until !== Number.POSITIVE_INFINITY) return true
    return false
  }

  /** Everything that waits is looked at again. */
  unblock(): void {
    for (const name of this.blocked.keys()) this.dirty.add(name)
  }

  /** Notes where a judged name stands; what is sent is noted when it departs. */
  file(name: string, verdict: Verdict): void {
    if (verdict.kind === 'send' || verdict.kind === 'absent') return
    this.dirty.delete(name)
    this.suspects.delete(name)
    this.leaving.delete(name)
    this.blocked.delete(name)
    this.kept.delete(name)
    if (verdict.kind === 'leave') this.leaving.add(name)
    if (verdict.kind === 'blocked') this.blocked.set(name, verdict.until)
    if (verdict.kind === 'kept') this.kept.add(name)
    if (verdict.kind !== 'settled') return
    this.forced.delete(name)
    if (verdict.resource !== undefined) this.held.set(name, verdict.resource)
  }

  /** What goes out now; it stays the only response of the type until it is settled. */
  depart(flight: Flight): void {
    this.flight = flight
    this.#removing = new Set(flight.removed)
    this.owesAnswer = false
    for (const { name } of flight.resources) this.#departed(name)
    for (const name of flight.removed) this.#departed(name)
  }

  #departed(name: string): void {
    this.dirty.delete(name)
    this.forced.delete(name)
    this.leaving.delete(name)
    this.blocked.delete(name)
    this.kept.delete(name)
    this.absent.delete(name)
  }

  /**
   * Takes the response in flight as accepted. What it stands in for stays refused.
   * @param wanted version of what is wanted under a name, if anything is
   */
  accept(flight: Flight, wanted: (name: string) => string | undefined): void {
    this.flight = undefined
    this.#tookPart = false
    this.#hasUnknown = false
    this.#hold(flight.resources, wanted)
    for (const name of flight.removed) {
      this.suspects.delete(name)
      this.spoilt.delete(name)
      this.held.delete(name)
      if (this.names.has(name)) this.absent.add(name)
    }
  }

  /** The name is wanted no more. What a client had of it before what it refused may be there: it is told. */
  gone(name: string): void {
    if (this.refused.delete(name) && sentWhole.has(this.type) && !this.held.has(name)) this.forced.add(name)
  }

  /** Takes a part of the response in flight as accepted; the rest is to be refused. */
  took(part: readonly Resource[], wanted: (name: string) => string | undefined): void {
    const { flight } = this
    if (flight === undefined) return
    const taken = new Set(part)
    this.#hold(part, wanted)
    this.flight = { ...flight, resources: flight.resources.filter((resource) => !taken.has(resource)) }
    this.#tookPart = true
  }

  #hold(resources: readonly Resource[], wanted: (name: string) => string | undefined): void {
    for (const resource of resources) {
      this.suspects.delete(resource.name)
      this.spoilt.delete(resource.name)
      if ((wanted(resource.name) ?? resource.version) === resource.version) this.refused.delete(resource.name)
      if (this.covers(resource.name)) this.held.set(resource.name, resource)
    }
  }

  /**
   * Takes the response in flight as refused: a single resource is the culprit, several are sent alone next. That
   * something is gone or not there is said once: nothing else could be said.
   */
  refuse(flight: Flight): Resource | undefined {
    this.flight = undefined
    this.owesAnswer ||= this.#tookPart && flight.resources.length > 0 && !this.#hasUnknown
    const [only] = flight.resources
    if (only !== undefined && flight.resources.length === 1 && flight.removed.length === 0) {
      this.suspects.delete(only.name)
      const others = this.refused.get(only.name)?.filter((version) => version !== only.version) ?? []
      this.refused.set(only.name, [...others, only.version].slice(-remembered))
      if (this.covers(only.name)) this.dirty.add(only.name)
      return only
    }
    if (flight.resources.length === 0) {
      for (const name of flight.removed) if (this.covers(name)) this.#stays(name)
      return undefined
    }
    for (const { name } of flight.resources) {
      if (!this.covers(name)) continue
      this.suspects.add(name)
      this.spoilt.add(name)
      this.dirty.add(name)
      this.forced.add(name)
    }
    for (const name of flight.removed) {
      if (!this.covers(name)) continue
      this.dirty.add(name)
      if (this.names.has(name)) this.forced.add(name)
    }
    return undefined
  }

  #stays(name: string): void {
    this.suspects.delete(name)
    if (this.held.has(name)) this.kept.add(name)
    else if (this.names.has(name)) this.absent.add(name)
  }
}
