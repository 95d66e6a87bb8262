/**
 * The events of a watch as they come in, in batches: what arrived together is delivered together. Each is read when its
 * turn comes, so that of a long list one raw object is held at a time.
 */
import type { Readable } from 'node:stream'
import type { RawObject } from './resource.ts'

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: RawObject
}

export interface WatchStreamOptions {
  /** Milliseconds of silence after which the connection counts as dead; asked anew after each piece. */
  readonly idleMs: () => number
  /** Told of a line that is no event; it is passed over. */
  readonly onBadLine: (line: string) => void
}

/** Ends when the server ends the watch. @throws when the connection breaks, or was silent for too long */
export async function* watchEvents(
  stream: Readable,
  options: WatchStreamOptions,
): AsyncGenerator<Iterable<WatchEvent>> {
  let rest: Buffer = Buffer.alloc(0)
  const silence = new Silence(stream, options.idleMs)
  try {
    for await (const chunk of stream) {
      const data: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      // Whole lines only: a piece may end inside a character.
      const end = data.lastIndexOf(0x0a)
      rest = data.subarray(end + 1)
      if (end >= 0) yield parseLines(data.subarray(0, end), options.onBadLine)
      silence.restart()
    }
  } finally {
    silence.end()
    stream.destroy()
  }
}

export class SilenceError extends Error {}

class Silence {
  readonly #stream: Readable
  readonly #idleMs: () => number
  #timer: NodeJS.Timeout | undefined

  constructor(stream: Readable, idleMs: () => number) {
    this.#stream = stream
    this.#idleMs = idleMs
    this.restart()
  }

  restart(): void {
    clearTimeout(this.#timer)
    const ms = this.#idleMs()
    this.#timer = setTimeout(() => this.#stream.destroy(new SilenceError(`nothing came for ${ms} ms`)), ms)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

function* parseLines(data: Buffer, onBadLine: (line: string) => void): Generator<WatchEvent> {
  for (let start = 0, end = 0; start < data.length; start = end + 1) {
    end = data.indexOf(0x0a, start)
    if (end < 0) end = data.length
    if (end === start) continue
    const line = data.toString('utf8', start, end)
    const event = parseEvent(line)
    if (event === undefined) onBadLine(line)
    else yield event
  }
}

function parseEvent(line: string): WatchEvent | undefined {
  try {
    const event: unknown = JSON.parse(line)
    return isEvent(event) ? event : undefined
  } catch {
    return undefined
  }
}

const changes = ['ADDED', 'MODIFIED', 'DELETED']

function isEvent(value: unknown): value is WatchEvent {
  if (!isRecord(value) || !isRecord(value['object'])) return false
  if (value['type'] === 'ERROR') return true
  const { metadata } = value['object']
  if (!isRecord(metadata)) return false
  if (value['type'] === 'BOOKMARK') return typeof metadata['resourceVersion'] === 'string'
  return changes.includes(String(value['type'])) && typeof metadata['name'] === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
