/**
 * Counters of 64 bits in JSON. A number of JavaScript carries 53 bits; a larger count is written digit by digit, and
 * compared as what remains of it when it is read back.
 */
import { isDeepStrictEqual, types } from 'node:util'

/** As a field of a status. */
export function exactCount(count: bigint): number | object {
  const near = Number(count)
  if (JSON.stringify(near) === String(count)) return near
  // A boxed value, so that two of them are equal when their counts are.
  const boxed: object = Object(count)
  return Object.defineProperty(boxed, 'toJSON', { value: () => JSON.rawJSON(String(count)) })
}

/** Whether the status that was read says what the new one does. */
export function sameStatus(read: Readonly<Record<string, unknown>>, next: object): boolean {
  const entries = Object.entries(next).map(([key, value]) => [key, roundedOf(value)])
  return isDeepStrictEqual(read, Object.fromEntries(entries))
}

function roundedOf(value: unknown): unknown {
  return types.isBigIntObject(value) ? Number(value.valueOf()) : value
}

declare global {
  interface JSON {
    /** ECMAScript 2026; the type library does not know it yet. */
    rawJSON(text: string): unknown
  }
}
