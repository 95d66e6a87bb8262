/**
 * A table of the classic layouts with many hosts: made anew when an entry of it changed. An Envoy takes it or refuses it
 * whole. Of one that is refused the entry at fault is sought: what that Envoy holds is served with half of what differs,
 * and so on, while what changes later waits. Once it is found, its host alone stays as it was (503 where it was not).
 */
import type { Cluster } from '../dag/cluster.ts'
import { type Side, scopeName } from '../envoy/names.ts'
import { joinedTable, type PlainEntry, unavailableEntry } from '../envoy/route-table.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import { standIn } from '../xds/session/stand-in.ts'

type Clusters = ReadonlyMap<string, Cluster>

interface Entry extends PlainEntry {
  readonly host: string
  /** Of its host, by name. */
  readonly wants: Clusters
}

interface Search {
  /** Good, by host; with all of the suspects it was refused. */
  readonly held: ReadonlyMap<string, Entry>
  readonly suspects: readonly Entry[]
  /** Of the suspects those that are served now, by host. */
  readonly tried: ReadonlyMap<string, Entry>
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
  readonly kept: Clusters
  readonly keptBefore: Clusters
}

/** What an Envoy holds may be as many tables behind. */
const remembered = 64
const patience = 200

/** What is at fault; `sought`: the next answer of an Envoy tells more. */
export type Found = RefusedContent | 'sought' | undefined

export class SharedTable {
  readonly name: string
  readonly #side: Side
  readonly #wanted = new Map<string, Entry>()
  readonly #withheld = new Map<string, Withheld>()
  /** By version, the newest last. */
  readonly #served = new Map<string, readonly Entry[]>()
  #search: Search | undefined
  #changed: boolean
  #kept: Clusters = new Map()

  /** @param side what its hosts' entries are named by @param always there is a table also without hosts */
  constructor(name: string, side: Side, always: boolean) {
    this.name = name
    this.#side = side
    this.#changed = always
  }

  set(host: string, entry: PlainEntry | undefined, wants: Clusters): void {
    if (entry !== undefined) this.#wanted.set(host, { ...entry, host, wants })
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
    return entry && makeResource(name, entry.bytes).version
  }

  /** Undefined when nothing changed since the last call. */
  take(): Served | undefined {
    if (!this.#changed) return undefined
    this.#changed = false
    const released = this.#release()
    const hosts = [...this.#wanted.values()].toSorted((a, b) => (a.host < b.host ? -1 : 1))
    // Nothing would be tried of what has changed since: then all is.
    if (!hosts.some((wanted) => this.#isTried(wanted))) this.#search = undefined
    const entries = hosts.flatMap((wanted) => this.#servedFor(wanted) ?? [])
    const kept = entries.filter((entry) => this.#wanted.get(entry.host) !== entry)
    const keptBefore = this.#kept
    this.#kept = new Map(kept.flatMap(({ wants }) => [...wants]))
    const table = joinedTable(this.name, entries)
    this.#served.delete(table.version)
    this.#served.set(table.version, entries)
    for (const version of this.#served.keys())
      if (this.#served.size > remembered) this.#served.delete(version)
    return { table, released, keptBefore, kept: this.#kept }
  }

  /**
   * An Envoy refused the table.
   * @param holds the version that it goes on with; '': it has none
   * @returns undefined: nothing is known of what it goes on with
   */
  refused(refused: RefusedContent, holds: string | undefined): Found {
    const served = this.#served.get(refused.version)
    const isEmpty = holds === '' || holds === standIn('routes', this.name)?.version
    const entries = isEmpty ? [] : this.#served.get(holds ?? '')
    if (served === undefined || entries === undefined) return undefined
    const held = byHost(entries)
    const suspects = served.filter((entry) => !isSame(held.get(entry.host), entry))
    return suspects.length === 0 ? undefined : this.#narrow(held, suspects, refused)
  }

  /** An Envoy took the table. */
  taken(version: string): Found {
    if (this.#search === undefined || version !== [...this.#served.keys()].at(-1)) return undefined
    const { suspects, refused } = this.#search
    const held = byHost(this.#served.get(version) ?? [])
    const left = suspects.filter((entry) => !isSame(held.get(entry.host), entry))
    return this.#narrow(held, left, refused)
  }

  /** What is known to be refused of a host, by the name under which it is told. @returns whether it was served so far */
  withhold(name: string): boolean {
    const entry = this.#entryOf(name)
    if (entry === undefined || isSame(this.#withheld.get(entry.host)?.entry, entry)) return false
    this.#withheld.set(entry.host, { entry, instead: unavailable(entry.host) })
    this.#changed = true
    return true
  }

  /** Takes over from a table of other options what is found, and what Envoys may hold. */
  adopt(before: SharedTable): void {
    for (const [host, one] of before.#withheld) this.#withheld.set(host, one)
    const own = [...this.#served]
    this.#served.clear()
    for (const [version, entries] of [...before.#served, ...own]) this.#served.set(version, entries)
    this.#changed ||= before.#withheld.size > 0
  }

  #release(): readonly string[] {
    const gone = [...this.#withheld].flatMap(([host, { entry }]) =>
      isSame(this.#wanted.get(host), entry) ? [] : host,
    )
    for (const host of gone) this.#withheld.delete(host)
    return gone.map((host) => scopeName(this.#side, host))
  }

  #narrow(held: ReadonlyMap<string, Entry>, suspects: readonly Entry[], refused: RefusedContent): Found {
    this.#changed = true
    this.#search = undefined
    const [first, ...others] = suspects
    if (first === undefined) return 'sought'
    if (others.length > 0) {
      const tried = byHost(suspects.slice(0, Math.ceil(suspects.length / 2)))
      this.#search = { held, suspects, tried, refused, patience }
      return 'sought'
    }
    const { host, bytes } = first
    this.#withheld.set(host, { entry: first, instead: held.get(host) ?? unavailable(host) })
    const name = scopeName(this.#side, host)
    const { type, build, message } = refused
    return { type, name, version: makeResource(name, bytes).version, build, message }
  }

  #servedFor(wanted: Entry): Entry | undefined {
    return this.#search === undefined || this.#isTried(wanted)
      ? this.#target(wanted)
      : this.#search.held.get(wanted.host)
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

function unavailable(host: string): Entry {
  return { ...unavailableEntry(host), host, wants: new Map() }
}

function byHost(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [entry.host, entry]))
}

function isSame(a: Entry | undefined, b: Entry | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a.bytes, b.bytes) === 0)
}
