/** The lines of a watch as they come in, in batches: what arrived together is delivered together. */
import type { Readable } from 'node:stream'
import type { RawObject } from './resource.ts'

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: RawObject
}

/**
 * Ends when the server ends the watch. @throws when the connection breaks, or nothing came for `idleMs`.
 * A line that is no JSON goes to `onBadLine` and is passed over.
 */
export async function* watchEvents(
  stream: Readable,
  idleMs: number,
  onBadLine: (line: string) => void,
): AsyncGenerator<readonly WatchEvent[]> {
  let rest: Buffer = Buffer.alloc(0)
  const idle = setTimeout(() => stream.destroy(new Error(`nothing came for ${idleMs} ms`)), idleMs)
  try {
    for await (const chunk of stream) {
      idle.refresh()
      const data: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const end = data.lastIndexOf(0x0a)
      rest = data.subarray(end + 1)
      if (end >= 0) yield parseLines(data.subarray(0, end).toString('utf8'), onBadLine)
    }
  } finally {
    clearTimeout(idle)
    stream.destroy()
  }
}

function parseLines(text: string, onBadLine: (line: string) => void): readonly WatchEvent[] {
  const events: WatchEvent[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      events.push(JSON.parse(line))
    } catch {
      onBadLine(line)
    }
  }
  return events
}
