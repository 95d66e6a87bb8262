/** A table of the classic layouts with many hosts, the plain or the fallback one: made anew when an entry of it changed. */
import { joinedTable, type PlainEntry } from '../envoy/route-table.ts'
import type { Resource } from '../xds/resource.ts'

export class PlainTable {
  readonly #entries = new Map<string, PlainEntry>()
  readonly #name: string
  #changed: boolean

  /** @param always there is a table also without hosts */
  constructor(name: string, always: boolean) {
    this.#name = name
    this.#changed = always
  }

  set(host: string, entry: PlainEntry | undefined): void {
    if (entry !== undefined) this.#entries.set(host, entry)
    else if (!this.#entries.delete(host)) return
    this.#changed = true
  }

  get hosts(): Iterable<string> {
    return this.#entries.keys()
  }

  /** Undefined when nothing changed since the last call. */
  take(): Resource | undefined {
    if (!this.#changed) return undefined
    this.#changed = false
    const sorted = [...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return joinedTable(
      this.#name,
      sorted.map(([, entry]) => entry),
    )
  }
}
