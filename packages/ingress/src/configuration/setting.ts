/** One setting: how it is read, where it stands, and whether a change of it is taken over while the program runs. */
import type { Reader } from './readers.ts'

export interface Setting<T = unknown> {
  readonly read: Reader<T>
  /** Path in the file. */
  readonly file?: string
  /** Path in the object's spec. */
  readonly object?: string
  /** Taken over while the program runs. */
  readonly live: boolean
}

interface Paths {
  readonly file?: string
  readonly object?: string
}

export function live<T>(read: Reader<T>, paths: Paths): Setting<T> {
  return { read, ...paths, live: true }
}

export function fixed<T>(read: Reader<T>, paths: Paths = {}): Setting<T> {
  return { read, ...paths, live: false }
}

export function both<T>(read: Reader<T>, file: string, object: string): Setting<T> {
  return live(read, { file, object })
}
