/**
 * What the start of a program leaves in memory: pages of the files that it runs from (Node's binary, libraries), touched
 * once and never again. They count for the container until they are dropped; who touches one later has it back from the
 * kernel's cache.
 *
 * In: `/proc/self/smaps` (proc(5)).
 */
import { readFileSync } from 'node:fs'
import { dropPages } from './libc.ts'

/** In bytes. */
export interface Span {
  readonly address: bigint
  readonly length: bigint
}

/** The second time after 2 s, then twice as late each time, up to once a minute: a start is work of seconds. */
const first = 2000
const ceiling = 60_000

/** Drops them now and again and again for as long as the program runs; keeps it from ending in no way. */
export function keepProgramPagesFew(nextMs = first): void {
  dropProgramPages()
  setTimeout(keepProgramPagesFew, nextMs, Math.min(nextMs * 2, ceiling)).unref()
}

/** Drops the pages of files that nobody wrote to. */
export function dropProgramPages(): void {
  for (const { address, length } of cleanFileSpans(readFileSync('/proc/self/smaps', 'utf8')))
    dropPages(address, length)
}

/** The mappings of files that cannot be written to and hold no page of the process's own. @param smaps as in proc(5) */
export function cleanFileSpans(smaps: string): readonly Span[] {
  return smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).flatMap((mapping) => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d*\s+\//.exec(mapping)
    const own = /^Anonymous:\s+(\d+) kB$/m.exec(mapping)?.[1]
    if (head === null || own !== '0') return []
    const [address, end] = [BigInt(`0x${head[1]}`), BigInt(`0x${head[2]}`)]
    return [{ address, length: end - address }]
  })
}
