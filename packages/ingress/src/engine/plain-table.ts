/** The classic layouts' one table of plain routes: made anew when an entry of it changed. */
import { type PlainEntry, plainTable } from '../envoy/route-table.ts'
import type { Resource } from '../xds/resource.ts'

export class PlainTable {
  readonly #entries = new Map<string, PlainEntry>()
  #changed = true

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
    return plainTable(sorted.map(([, entry]) => entry))
  }
}
