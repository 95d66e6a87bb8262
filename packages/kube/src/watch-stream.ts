/**
 * The events of a watch as they come in, in batches: what arrived together is delivered together. Each is read when its
 * turn comes, so that of a long list one raw object is held at a time. `metadata.managedFields` is left out: [].
 */
import type { Readable } from 'node:stream'
import { withoutManagedFields } from './managed-fields.ts'
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
  const pieces = new Pieces(stream)
  const silence = new Silence(stream, options.idleMs)
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      const data: Buffer = rest.length === 0 ? piece : Buffer.concat([rest, piece])
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

/** After so long without a piece the next one is taken at once. */
const calmMs = 5
const mostBytes = 1024 * 1024

/**
 * What came in one turn of the event loop, in one: a server sends a list in thousands of small pieces. By events: an
 * iterator of the stream costs more than all else of a small piece.
 */
class Pieces {
  readonly #stream: Readable
  #waiting: Buffer[] = []
  #bytes = 0
  /** `error` is undefined at a clean end. */
  #end: { readonly error: unknown } | undefined
  #scheduled = false
  #last = Number.NEGATIVE_INFINITY
  #wake: () => void = () => {}

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
    stream.once('end', () => this.#finish(undefined))
    // Stays: one that comes when all is over is nobody's.
    stream.on('error', (error) => this.#finish(error))
    stream.once('close', () => this.#finish(new Error('closed before its end')))
  }

  /** Undefined at the end. @throws what broke the stream, after what came before */
  async next(): Promise<Buffer | undefined> {
    while (this.#scheduled || (this.#waiting.length === 0 && this.#end === undefined)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const [only] = this.#waiting
    if (only === undefined) {
      if (this.#end?.error !== undefined) throw this.#end.error
      return undefined
    }
    const piece = this.#waiting.length === 1 ? only : Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#bytes = 0
    this.#stream.resume()
    return piece
  }

  #take(chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > mostBytes) this.#stream.pause()
    const now = performance.now()
    const calm = now - this.#last > calmMs
    this.#last = now
    if (calm && this.#waiting.length === 1) this.#wake()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#wake()
    })
  }

  #finish(error: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }
}

export class SilenceError extends Error {}

class Silence {
  readonly #stream: Readable
  readonly #idleMs: () => number
  #timer: NodeJS.Timeout | undefined
  #ms = 0

  constructor(stream: Readable, idleMs: () => number) {
    this.#stream = stream
    this.#idleMs = idleMs
    this.restart()
  }

  restart(): void {
    const ms = this.#idleMs()
    if (ms === this.#ms) return void this.#timer?.refresh()
    clearTimeout(this.#timer)
    this.#ms = ms
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
    const line = data.subarray(start, end)
    const event = parseEvent(withoutManagedFields(line)) ?? parseEvent(line.toString('utf8'))
    if (event === undefined) onBadLine(line.toString('utf8'))
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
