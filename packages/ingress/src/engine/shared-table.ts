/**
 * A table of the classic layouts with many hosts: made anew when an entry of it changed. An Envoy takes it or refuses it
 * whole. Of one that is refused the entry at fault is sought: what Envoys of that build took is served with half of what
 * differs, and so on, while what changes later waits. Once it is found, its host alone stays as it was (503 where it was
 * not).
 */
import { type Side, scopeName } from '../envoy/names.ts'
import { joinedTable, type PlainEntry, unavailableEntry } from '../envoy/route-table.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import type { RefusedContent, TableRefused, TableTaken } from '../xds/session/refusals.ts'
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
  /** Of what is refused: a cluster that the entry needs, or the entry itself by Envoys of a build. */
  readonly cause: { readonly cluster: string } | { readonly build: string }
}

export interface Served {
  readonly table: Resource
  /** What was withheld and is so no more, by the name under which it was told. */
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
  /** Builds that refused a table when nothing was known that they would take; whether they were alone then. */
  readonly #unsought = new Map<string, boolean>()
  /** Withheld no more, although it is wanted: who refused it is gone. */
  #asked: string[] = []
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

  /** @returns undefined: nothing is known that the Envoy would take */
  refused(refused: TableRefused): Found {
    const { build, isAlone } = refused
    if (build === '') return undefined
    const isAnew = this.#forgetOthers(build, () => isAlone)
    return this.#seek(refused) ?? (isAnew ? 'sought' : undefined)
  }

  #seek(refused: TableRefused): Found {
    const entries = this.#served.get(refused.version)
    if (entries === undefined) return undefined
    this.#refused.add(refused.version)
    for (const version of this.#refused) if (this.#refused.size > remembered) this.#refused.delete(version)
    // What is tried for another build may have in it what only that one takes.
    if (this.#search !== undefined && this.#search.refused.build !== refused.build) return 'sought'
    const good = this.#goodFor(refused)
    if (good === undefined) this.#unsought.set(refused.build, refused.isAlone)
    if (good === undefined) return undefined
    const suspects = entries.filter((entry) => !isSame(good.get(entry.host), entry))
    if (suspects.length === 0) return undefined
    return this.#narrow(good, suspects, refused)
  }

  taken({ version, build, isAlone }: TableTaken): Found {
    const entries = this.#served.get(version)
    if (entries !== undefined) this.#take(version, build)
    const isAnew = this.#forgetOthers(build, isAlone) || (entries !== undefined && this.#ask(build, version))
    const search = this.#search
    if (isAnew || entries === undefined || search?.refused.build !== build || version !== this.#newest)
      return isAnew ? 'sought' : undefined
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
      this.#withheld.set(host, { entry, instead: good.get(host) ?? unavailable(host), cause: { cluster } })
      this.#changed = true
    }
    return needing.length > 0
  }

  /** The cluster is well again, or gone. @returns whether a host waited for that */
  with(cluster: string): boolean {
    const waiting = [...this.#withheld].filter(
      ([, { cause }]) => 'cluster' in cause && cause.cluster === cluster,
    )
    for (const [host] of waiting) this.#withheld.delete(host)
    this.#changed ||= waiting.length > 0
    return waiting.length > 0
  }

  /** What is known to be refused of a host, by the name under which it is told. @returns whether it was served so far */
  withhold({ name, version, build }: Pick<RefusedContent, 'name' | 'version' | 'build'>): boolean {
    const entry = this.#entryOf(name)
    if (entry === undefined || versionOf(name, entry) !== version) return false
    if (isSame(this.#withheld.get(entry.host)?.entry, entry)) return false
    this.#withheld.set(entry.host, { entry, instead: unavailable(entry.host), cause: { build } })
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

  get #newest(): string {
    return [...this.#served.keys()].at(-1) ?? ''
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
  #goodFor({ build, holds }: TableRefused): Entries | undefined {
    const known = [this.#good.get(build), holds].filter((one) => this.#served.has(one ?? ''))
    const [newest] = known
      .flatMap((one) => one ?? [])
      .toSorted(this.#byAge)
      .toReversed()
    if (newest !== undefined) return byHost(this.#served.get(newest) ?? [])
    if (this.#search?.refused.build === build) return this.#search.good
    return holds === '' && this.#good.size === 0 ? nothing : undefined
  }

  /**
   * When there are none of other builds any more what those refused is tried again, and what they took says nothing.
   * @returns whether another table is to be served
   */
  #forgetOthers(build: string, isAlone: () => boolean): boolean {
    const withheld = [...this.#withheld].flatMap(([host, { cause }]) =>
      'build' in cause && cause.build !== build ? host : [],
    )
    const taken = [...this.#good.keys()].filter((other) => other !== build)
    const isSought = this.#search !== undefined && this.#search.refused.build !== build
    const isUnsought = this.#unsought.get(build) === false
    if ((withheld.length + taken.length === 0 && !isSought && !isUnsought) || !isAlone()) return false
    for (const other of taken) this.#good.delete(other)
    for (const host of withheld) this.#withheld.delete(host)
    this.#asked.push(...withheld.map((host) => scopeName(this.#side, host)))
    if (isSought) this.#search = undefined
    const isAnew = isSought || withheld.length > 0
    this.#changed ||= isAnew
    return this.#ask(build, this.#good.get(build)) || isAnew
  }

  /** What a build refused whole is asked once more when it is known what it would take. @returns whether it is */
  #ask(build: string, taken: string | undefined): boolean {
    if (!this.#unsought.delete(build) || this.#search !== undefined || taken === this.#newest) return false
    this.#refused.add(this.#newest)
    this.#changed = true
    return true
  }

  /** Names of what was withheld and is so no more. */
  #release(): readonly string[] {
    const asked = this.#asked
    this.#asked = []
    const gone = [...this.#withheld].flatMap(([host, { entry }]) =>
      isSame(this.#wanted.get(host), entry) ? [] : host,
    )
    for (const host of gone) this.#withheld.delete(host)
    return [...asked, ...gone.map((host) => scopeName(this.#side, host))]
  }

  #made(): { readonly table: Resource; readonly entries: readonly Entry[] } {
    const hosts = [...this.#wanted.values()].toSorted((a, b) => (a.host < b.host ? -1 : 1))
    // Nothing would be tried of what has changed since: then all is.
    if (!hosts.some((wanted) => this.#isTried(wanted))) this.#search = undefined
    const entries = hosts.flatMap((wanted) => this.#servedFor(wanted) ?? [])
    const table = joinedTable(this.name, entries)
    // What is known to be refused would not be sent, and so not answered; nor what is held already.
    const { build } = this.#search?.refused ?? {}
    return this.#refused.has(table.version) ||
      (build !== undefined && this.#good.get(build) === table.version)
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
    const { type, build, message } = refused
    const before = this.#withheld.get(host)
    const [instead, cause] = isSame(entry, first) ? [good.get(host), { build }] : [undefined, before?.cause]
    this.#withheld.set(host, { entry, instead: instead ?? unavailable(host), cause: cause ?? { build } })
    const name = scopeName(this.#side, host)
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
