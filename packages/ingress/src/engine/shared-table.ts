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
  /** What was refused as a whole, by version. */
  readonly #refused = new Map<string, RefusedContent>()
  /** What Envoys of a build took last. */
  readonly #good = new Map<string, Entries>()
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
    let { table, entries } = this.#made()
    // What is known to be refused would not be sent, and so not answered.
    if (this.#seeksAgain(table.version, entries)) ({ table, entries } = this.#made())
    this.#changed = false
    const keptBefore = this.#kept
    this.#kept = entries.filter((entry) => this.#wanted.get(entry.host) !== entry).map(({ needs }) => needs)
    this.#served.delete(table.version)
    this.#served.set(table.version, entries)
    forgetOldest(this.#served)
    return { table, released, keptBefore, kept: this.#kept }
  }

  /**
   * An Envoy refused the table.
   * @param holds the version that it goes on with; '': no Envoy has any
   * @returns undefined: nothing is known that it would take
   */
  refused(refused: RefusedContent, holds: string | undefined): Found {
    const entries = this.#served.get(refused.version)
    const good = this.#good.get(refused.build) ?? this.#heldBy(holds)
    if (entries === undefined || good === undefined) return undefined
    this.#good.set(refused.build, good)
    this.#refused.set(refused.version, refused)
    forgetOldest(this.#refused)
    const suspects = entries.filter((entry) => !isSame(good.get(entry.host), entry))
    return suspects.length === 0 ? undefined : this.#narrow(good, suspects, refused)
  }

  /** An Envoy of this build took the table. */
  taken(version: string, build: string): Found {
    const entries = this.#served.get(version)
    if (entries === undefined) return undefined
    const good = byHost(entries)
    this.#good.set(build, good)
    if (version !== [...this.#served.keys()].at(-1)) return undefined
    this.#refused.clear()
    if (this.#search?.refused.build !== build) return undefined
    const { suspects, refused } = this.#search
    const left = suspects.filter((entry) => !isSame(good.get(entry.host), entry))
    return this.#narrow(good, left, refused)
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
    for (const [version, one] of before.#refused) this.#refused.set(version, one)
    for (const [build, entries] of before.#good) this.#good.set(build, entries)
    const own = [...this.#served]
    this.#served.clear()
    for (const [version, entries] of [...before.#served, ...own]) this.#served.set(version, entries)
    this.#changed ||= before.#withheld.size + before.#refused.size > 0
  }

  #heldBy(holds: string | undefined): Entries | undefined {
    if (holds === '' || holds === standIn('routes', this.name)?.version) return nothing
    const entries = this.#served.get(holds ?? '')
    return entries && byHost(entries)
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
    return { table: joinedTable(this.name, entries), entries }
  }

  /** An Envoy is not asked twice: then the search for what is at fault goes on. */
  #seeksAgain(version: string, entries: readonly Entry[]): boolean {
    const refused = this.#refused.get(version)
    const good = refused && this.#good.get(refused.build)
    if (refused === undefined || good === undefined || this.#search !== undefined) return false
    const suspects = entries.filter((entry) => !isSame(good.get(entry.host), entry))
    return suspects.length > 1 && this.#narrow(good, suspects, refused) === 'sought'
  }

  #narrow(good: Entries, all: readonly Entry[], refused: RefusedContent): Found {
    const suspects = all.filter((entry) => isSame(this.#wanted.get(entry.host), entry))
    this.#changed = true
    this.#search = undefined
    const [first, ...others] = suspects
    if (first === undefined) return 'sought'
    if (others.length > 0) {
      const tried = byHost(suspects.slice(0, Math.ceil(suspects.length / 2)))
      this.#search = { good, suspects, tried, refused, patience }
      return 'sought'
    }
    const { host } = first
    this.#withheld.set(host, { entry: first, instead: good.get(host) ?? unavailable(host) })
    const name = scopeName(this.#side, host)
    const { type, build, message } = refused
    return { type, name, version: versionOf(name, first), build, message }
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

function forgetOldest(byVersion: Map<string, unknown>): void {
  for (const version of byVersion.keys()) if (byVersion.size > remembered) byVersion.delete(version)
}
