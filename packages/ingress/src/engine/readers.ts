/** Who has read what, so that a change finds those that it concerns. */
import type { Read } from '../model/lookups.ts'
import { readOf } from '../model/lookups.ts'
import type { Change } from '../model/objects.ts'

export class Readers {
  readonly #reads = new Map<string, ReadonlySet<Read>>()
  readonly #readers = new Map<Read, Set<string>>()

  /** What a reader has read now, instead of what it had before; nothing: it is gone. */
  set(reader: string, reads: ReadonlySet<Read>): void {
    for (const read of this.#reads.get(reader) ?? []) this.#forget(read, reader)
    if (reads.size === 0) this.#reads.delete(reader)
    else this.#reads.set(reader, reads)
    for (const read of reads) {
      const readers = this.#readers.get(read)
      if (readers === undefined) this.#readers.set(read, new Set([reader]))
      else readers.add(reader)
    }
  }

  of(read: Read): Iterable<string> {
    return this.#readers.get(read) ?? []
  }

  concernedBy(change: Change): Iterable<string> {
    return this.of(readOfChange(change))
  }

  #forget(read: Read, reader: string): void {
    const readers = this.#readers.get(read)
    readers?.delete(reader)
    if (readers?.size === 0) this.#readers.delete(read)
  }
}

function readOfChange(change: Change): Read {
  if (change.kind !== 'delegation') return readOf(change.kind, change.key)
  return readOf('delegation', (change.after ?? change.before)?.meta.namespace ?? '')
}
