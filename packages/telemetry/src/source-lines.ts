/**
 * A source map read for lines only: bytes of a `.map` file (source map v3, one whole bundle) in, original file and
 * line of a generated place out. The mappings are decoded straight from the bytes into one typed array, so that a
 * bundle's map costs a few hundred kilobytes and no string of its size.
 */
import { readFileSync } from 'node:fs'

export interface SourceLines {
  /** Both counted from 1. */
  find(line: number, column: number): { readonly source: string; readonly line: number } | undefined
}

/** Numbers an entry: generated line, generated column, index of the source, original line; all from 0. */
const WIDTH = 4

/** undefined: there is no map, or it is not one that esbuild writes. */
export function loadSourceLines(path: string): SourceLines | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return undefined
  }
  const sources = sourcesOf(bytes)
  const start = bytes.indexOf('"mappings"')
  if (!sources || start < 0) return undefined
  const open = bytes.indexOf('"', start + '"mappings"'.length + 1) + 1
  const close = bytes.indexOf('"', open)
  return lookup(decodeMappings(bytes.subarray(open, close)), sources)
}

function sourcesOf(bytes: Buffer): readonly string[] | undefined {
  const start = bytes.indexOf('"sources"')
  const open = bytes.indexOf('[', start)
  const close = bytes.indexOf(']', open)
  if (start < 0 || close < 0) return undefined
  try {
    const list: unknown = JSON.parse(bytes.toString('utf8', open, close + 1))
    return Array.isArray(list) ? list.map(String) : undefined
  } catch {
    return undefined
  }
}

/** Entries in the order of the generated text; neighbours with the same original line are one entry. */
export function decodeMappings(bytes: Uint8Array): Int32Array {
  let table = new Int32Array(4096 * WIDTH)
  let used = 0
  let line = 0
  let column = 0
  let source = 0
  let original = 0
  const fields = [0, 0, 0, 0, 0]
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]
    if (byte === SEMICOLON || byte === COMMA) {
      if (byte === SEMICOLON) {
        line++
        column = 0
      }
      at++
      continue
    }
    const read = readSegment(bytes, at, fields)
    at = read.at
    column += fields[0] ?? 0
    if (read.count < 4) continue
    source += fields[1] ?? 0
    original += fields[2] ?? 0
    const last = used - WIDTH
    if (last >= 0 && table[last] === line && table[last + 2] === source && table[last + 3] === original)
      continue
    if (used === table.length) table = grown(table)
    table.set([line, column, source, original], used)
    used += WIDTH
  }
  return table.slice(0, used)
}

const SEMICOLON = 0x3b
const COMMA = 0x2c
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUE_OF = new Int8Array(128).fill(-1)
for (let value = 0; value < DIGITS.length; value++) VALUE_OF[DIGITS.charCodeAt(value)] = value

/** Base64 VLQ: five bits a digit, the sixth says that more follow; the lowest bit of the whole is the sign. */
function readSegment(
  bytes: Uint8Array,
  start: number,
  fields: number[],
): { readonly at: number; readonly count: number } {
  let at = start
  let count = 0
  while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== SEMICOLON) {
    let value = 0
    let shift = 0
    let more = true
    while (more && at < bytes.length) {
      const digit = VALUE_OF[bytes[at++] ?? 0] ?? -1
      value |= (digit & 31) << shift
      shift += 5
      more = digit >= 0 && (digit & 32) !== 0
    }
    if (count < fields.length) fields[count++] = value & 1 ? -(value >>> 1) : value >>> 1
  }
  return { at, count }
}

function grown(table: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(table.length * 2)
  larger.set(table)
  return larger
}

function lookup(table: Int32Array, sources: readonly string[]): SourceLines {
  const at = (entry: number, field: number): number => table[entry * WIDTH + field] ?? 0
  return {
    find(line, column) {
      let low = 0
      let high = table.length / WIDTH
      while (low < high) {
        const middle = (low + high) >>> 1
        const before = at(middle, 0) - (line - 1) || at(middle, 1) - (column - 1)
        if (before <= 0) low = middle + 1
        else high = middle
      }
      const entry = low - 1
      const source = entry < 0 || at(entry, 0) !== line - 1 ? undefined : sources[at(entry, 2)]
      return source === undefined ? undefined : { source, line: at(entry, 3) + 1 }
    },
  }
}
