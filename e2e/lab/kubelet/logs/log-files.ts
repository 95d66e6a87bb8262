// The containers' output: one plain file a container, over all its runs, and beside it in memory when
// which byte was written, for `--since-time`, `--timestamps` and `--previous`.
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

export interface Mark {
  readonly time: number
  readonly offset: number
}

export interface LogFile {
  readonly path: string
  readonly marks: readonly Mark[]
  /** Where each run begins. */
  readonly runs: readonly number[]
  readonly size: number
}

const MAX_BYTES = 256 * 2 ** 20
const MARK_EVERY_MS = 5

interface OpenLog {
  readonly path: string
  marks: Mark[]
  runs: number[]
  size: number
  fd: number
  readonly followers: Set<() => void>
}

export class LogFiles {
  readonly #logs = new Map<string, OpenLog>()

  /** Begins a run; a container seen for the first time begins a new file. */
  begin(key: string, path: string): (chunk: Buffer) => void {
    let log = this.#logs.get(key)
    if (log === undefined) {
      mkdirSync(dirname(path), { recursive: true })
      log = { path, marks: [], runs: [], size: 0, fd: openSync(path, 'w'), followers: new Set() }
      this.#logs.set(key, log)
    }
    const open = log
    open.runs.push(open.size)
    return (chunk) => append(open, chunk)
  }

  get(key: string): LogFile | undefined {
    return this.#logs.get(key)
  }

  /** The end of what the last run wrote, in whole characters; '' for a container that never ran. */
  tail(key: string, mostBytes: number): string {
    const log = this.#logs.get(key)
    if (log === undefined) return ''
    const from = Math.max(log.runs.at(-1) ?? 0, log.size - mostBytes)
    return readFileSync(log.path)
      .subarray(from)
      .toString()
      .replace(/^\uFFFD+/, '')
  }

  /** Calls back at each write until the function it returns is called. */
  follow(key: string, onWrite: () => void): () => void {
    const followers = this.#logs.get(key)?.followers
    followers?.add(onWrite)
    return () => followers?.delete(onWrite)
  }

  /** Stops writing; the file stays for who looks for it later. */
  close(key: string): void {
    const log = this.#logs.get(key)
    if (log === undefined) return
    this.#logs.delete(key)
    closeSync(log.fd)
    for (const follower of log.followers) follower()
  }

  /** Bytes `from` to `to` of the file. */
  read(file: LogFile, from: number, to: number): NodeJS.ReadableStream {
    return createReadStream(file.path, { start: from, end: Math.max(to - 1, from) })
  }
}

function append(log: OpenLog, chunk: Buffer): void {
  if (log.size > MAX_BYTES) rotate(log)
  const now = Date.now()
  if (now - (log.marks.at(-1)?.time ?? 0) >= MARK_EVERY_MS) log.marks.push({ time: now, offset: log.size })
  writeSync(log.fd, chunk)
  log.size += chunk.length
  for (const follower of log.followers) follower()
}

/** One older file is kept. */
function rotate(log: OpenLog): void {
  closeSync(log.fd)
  renameSync(log.path, `${log.path}.1`)
  log.fd = openSync(log.path, 'w')
  log.size = 0
  log.marks = []
  log.runs = [0]
}
