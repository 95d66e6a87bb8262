/**
 * A table of the classic layouts with many hosts: made anew when an entry of it changed. An Envoy takes it or refuses it
 * whole. Of one that is refused the entry at fault is sought: what Envoys of that build took is served with half of what
 * differs, and so on, while what changes later waits. Once it is found, its host alone stays as it was (503 where it was
 * not).
 */
import { type Side, scopeName } from '../envoy/names.ts'
import { joinedTable, type PlainEntry, unavailableEntry } from '../envoy/route-table.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import { standIn } from '../xds/session/stand-in.ts'
import type { Unit } from './units.ts'

/** What entries refer to. */
export type Needs = Pick<Unit, 'clusters' | 'secrets'>

interface Entry extends PlainEntry {
  readonly host: string
  /** Of its host. */
  readonly needs: Needs
}

type Entries = ReadonlyMap<string, Entry>

interface Search {
  /** Good, by host; with all of the suspects it was refused. */
  readonly good: Entries
  readonly suspects: readonly Entry[]
  /** Of the suspects those that are served now, by host. */
  readonly tried: Entries
  readonly refused: RefusedContent
  /** Changes that may still come in the meantime: an Envoy that answers nothing is not waited for any longer. */
  patience: number
}

interface Withheld {
  readonly entry: Entry
  readonly instead: Entry
  /** That is refused; else it is the entry itself. */
  readonly cluster?: string
}

export interface Served {
  readonly table: Resource
  /** What was withheld and is wanted no more, by the name under which it was told. */
  readonly released: readonly string[]
  /** What is served of hosts that want something else by now needs these, and did before. */
  readonly kept: readonly Needs[]
  readonly keptBefore: readonly Needs[]
}

/** What an Envoy answers may be as many tables old. */
const remembered = 64
const patience = 200

/** What is at fault; `sought`: another table is to be served, whose answer tells more. */
export type Found = RefusedContent | 'sought' | undefined

const nothing: Entries = new Map()

export class SharedTable {
  readonly name: string
  readonly #side: Side
  readonly #wanted = new Map<string, Entry>()
  readonly #withheld = new Map<string, Withheld>()
  /** By version, the newest last. */
  readonly #served = new Map<string, readonly Entry[]>()
  /** Versions that were refused as a whole. */
  readonly #refused = new Set<string>()
  /** The newest version that Envoys of a build took. */
  readonly #good = new Map<string, string>()
  #variant = 0
  #search: Search | undefined
  #changed: boolean
  #kept: readonly Needs[] = []

  /** @param side what its hosts' entries are named by @param always there is a table also without hosts */
  constructor(name: string, side: Side, always: boolean) {
    this.name = name
    this.#side = side
    this.#changed = always
  }

  set(host: string, entry: PlainEntry | undefined, needs: Needs): void {
    if (entry !== undefined) this.#wanted.set(host, { ...entry, host, needs })
    else if (!this.#wanted.delete(host)) return
    this.#changed = true
    if (this.#search !== undefined && --this.#search.patience === 0) this.#search = undefined
  }

  get hosts(): Iterable<string> {
    return this.#wanted.keys()
  }

  /** Of a host's entry, by the name under which it is told; undefined: there is none. */
  version(name: string): string | undefined {
    const entry = this.#entryOf(name)
    return entry && versionOf(name, entry)
  }

  /** Undefined when nothing changed since the last call. */
  take(): Served | undefined {
    if (!this.#changed) return undefined
    const released = this.#release()
    this.#changed = false
    const { table, entries } = this.#made()
    const keptBefore = this.#kept
    this.#kept = entries.filter((entry) => this.#wanted.get(entry.host) !== entry).map(({ needs }) => needs)
    this.#serve(table.version, entries)
    return { table, released, keptBefore, kept: this.#kept }
  }

  /**
   * An Envoy refused the table.
   * @param holds the version that it goes on with; '': no Envoy has any
   * @returns undefined: nothing is known that it would take
   */
  refused(refused: RefusedContent, holds: string | undefined): Found {
    const entries = this.#served.get(refused.version)
    const good = this.#goodFor(refused.build, holds)
    if (entries === undefined || good === undefined || refused.build === '') return undefined
    const suspects = entries.filter((entry) => !isSame(good.get(entry.host), entry))
    if (suspects.length === 0) return undefined
    this.#refused.add(refused.version)
    for (const version of this.#refused) if (this.#refused.size > remembered) this.#refused.delete(version)
    return this.#narrow(good, suspects, refused)
  }

  /**
   * An Envoy of this build took the table.
   * @param isAlone no Envoy of another build is there
   */
  taken(version: string, build: string, isAlone: () => boolean): Found {
    const entries = this.#served.get(version)
    if (entries === undefined) return undefined
    this.#take(version, build)
    const search = this.#search
    if (search === undefined || version !== [...this.#served.keys()].at(-1)) return undefined
    if (search.refused.build !== build && !isAlone()) return undefined
    const good = byHost(entries)
    const left = search.suspects.filter((entry) => !isSame(good.get(entry.host), entry))
    return this.#narrow(good, left, search.refused)
  }

  /**
   * Envoys refused a cluster of which they have nothing: hosts that need it stay as they were.
   * @returns whether there are any
   */
  without(cluster: string): boolean {
    const newest = [...this.#good.values()].toSorted(this.#byAge).at(-1)
    const good = byHost(this.#served.get(newest ?? '') ?? [])
    if (good.size === 0 || [...good.values()].some(({ clusters }) => clusters.includes(cluster))) return false
    const needing = [...this.#wanted.values()].filter(({ clusters }) => clusters.includes(cluster))
    for (const entry of needing) {
      const { host } = entry
      this.#withheld.set(host, { entry, instead: good.get(host) ?? unavailable(host), cluster })
      this.#changed = true
    }
    return needing.length > 0
  }

  /** The cluster is well again, or gone. @returns whether a host waited for that */
  with(cluster: string): boolean {
    const waiting = [...this.#withheld].filter(([, withheld]) => withheld.cluster === cluster)
    for (const [host] of waiting) this.#withheld.delete(host)
    this.#changed ||= waiting.length > 0
    return waiting.length > 0
  }

  /** What is known to be refused of a host, by the name under which it is told. @returns whether it was served so far */
  withhold({ name, version }: Pick<RefusedContent, 'name' | 'version'>): boolean {
    const entry = this.#entryOf(name)
    if (entry === undefined || versionOf(name, entry) !== version) return false
    if (isSame(this.#withheld.get(entry.host)?.entry, entry)) return false
    this.#withheld.set(entry.host, { entry, instead: unavailable(entry.host) })
    this.#changed = true
    return true
  }

  /** Takes over from a table of other options what is found, and what Envoys may hold. */
  adopt(before: SharedTable): void {
    for (const [host, one] of before.#withheld) this.#withheld.set(host, one)
    for (const version of before.#refused) this.#refused.add(version)
    for (const [build, version] of before.#good) this.#good.set(build, version)
    this.#variant = before.#variant
    const own = [...this.#served]
    this.#served.clear()
    for (const [version, entries] of [...before.#served, ...own]) this.#served.set(version, entries)
    this.#changed ||= before.#withheld.size + before.#refused.size > 0
  }

  readonly #byAge = (a: string, b: string): number => {
    const ages = [...this.#served.keys()]
    return ages.indexOf(a) - ages.indexOf(b)
  }

  #serve(version: string, entries: readonly Entry[]): void {
    this.#served.delete(version)
    this.#served.set(version, entries)
    for (const old of this.#served.keys()) if (this.#served.size > remembered) this.#served.delete(old)
  }

  /** What a build took that takes nothing newer says nothing any more of what is good. */
  #take(version: string, build: string): void {
    for (const [other, older] of this.#good) if (this.#byAge(older, version) < 0) this.#good.delete(other)
    if (!this.#good.has(build)) this.#good.set(build, version)
  }

  /** What Envoys of the build took last, one that refuses among them. */
  #goodFor(build: string, holds: string | undefined): Entries | undefined {
    const isEmpty = holds === '' || holds === standIn('routes', this.name)?.version
    const known = [this.#good.get(build), holds].filter((one) => this.#served.has(one ?? ''))
    const [newest] = known
      .flatMap((one) => one ?? [])
      .toSorted(this.#byAge)
      .toReversed()
    if (newest !== undefined) return byHost(this.#served.get(newest) ?? [])
    return isEmpty && this.#good.size === 0 ? nothing : undefined
  }

  /** Names of what was withheld and is wanted no more. */
  #release(): readonly string[] {
    const gone = [...this.#withheld].flatMap(([host, { entry }]) =>
      isSame(this.#wanted.get(host), entry) ? [] : host,
    )
    for (const host of gone) this.#withheld.delete(host)
    return gone.map((host) => scopeName(this.#side, host))
  }

  #made(): { readonly table: Resource; readonly entries: readonly Entry[] } {
    const hosts = [...this.#wanted.values()].toSorted((a, b) => (a.host < b.host ? -1 : 1))
    // Nothing would be tried of what has changed since: then all is.
    if (!hosts.some((wanted) => this.#isTried(wanted))) this.#search = undefined
    const entries = hosts.flatMap((wanted) => this.#servedFor(wanted) ?? [])
    const table = joinedTable(this.name, entries)
    // What is known to be refused would not be sent, and so not answered.
    return this.#refused.has(table.version)
      ? { table: joinedTable(this.name, entries, ++this.#variant), entries }
      : { table, entries }
  }

  #narrow(good: Entries, suspects: readonly Entry[], refused: RefusedContent): Found {
    this.#changed = true
    this.#search = undefined
    const [first] = suspects
    // What is another by now may have been the one at fault: all is tried again.
    const isOld = suspects.some(({ host }, at) => !isSame(this.#targetOf(host), suspects[at]))
    if (first === undefined || isOld) return 'sought'
    if (suspects.length > 1) {
      const tried = byHost(suspects.slice(0, Math.ceil(suspects.length / 2)))
      this.#search = { good, suspects, tried, refused, patience }
      return 'sought'
    }
    const { host } = first
    const entry = this.#wanted.get(host) ?? first
    // What stands in is at fault itself: so nothing is known to be good.
    const instead = isSame(entry, first) ? good.get(host) : undefined
    this.#withheld.set(host, { entry, instead: instead ?? unavailable(host) })
    const name = scopeName(this.#side, host)
    const { type, build, message } = refused
    return { type, name, version: versionOf(name, entry), build, message }
  }

  #targetOf(host: string): Entry | undefined {
    const wanted = this.#wanted.get(host)
    return wanted && this.#target(wanted)
  }

  #servedFor(wanted: Entry): Entry | undefined {
    return this.#search === undefined || this.#isTried(wanted)
      ? this.#target(wanted)
      : this.#search.good.get(wanted.host)
  }

  #isTried(wanted: Entry): boolean {
    const tried = this.#search?.tried.get(wanted.host)
    return tried !== undefined && isSame(tried, this.#target(wanted))
  }

  #target(wanted: Entry): Entry {
    const withheld = this.#withheld.get(wanted.host)
    return withheld !== undefined && isSame(withheld.entry, wanted) ? withheld.instead : wanted
  }

  #entryOf(name: string): Entry | undefined {
    const start = scopeName(this.#side, '')
    return name.startsWith(start) ? this.#wanted.get(name.slice(start.length)) : undefined
  }
}

function versionOf(name: string, { bytes }: Entry): string {
  return makeResource(name, bytes).version
}

function unavailable(host: string): Entry {
  return { ...unavailableEntry(host), host, needs: { clusters: new Map(), secrets: [] } }
}

function byHost(entries: readonly Entry[]): Entries {
  return new Map(entries.map((entry) => [entry.host, entry]))
}

function isSame(a: Entry | undefined, b: Entry | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a.bytes, b.bytes) === 0)
}
