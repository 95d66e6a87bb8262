/** Durations in the notation of Go, as text with a pattern. */
import { text } from '../schema/build.ts'

const go = String.raw`((\d*(\.\d*)?h)|(\d*(\.\d*)?m)|(\d*(\.\d*)?s)|(\d*(\.\d*)?ms)|(\d*(\.\d*)?us)|(\d*(\.\d*)?µs)|(\d*(\.\d*)?ns))`

/** `90s`, `1h30m`; `infinity` and `infinite` mean no limit. */
export function timeout(description: string) {
  return text(description, { pattern: `^(${go}+|infinity|infinite)$` })
}

/** `90s`; `0` alone is allowed. */
export function durationOrZero(description: string) {
  return text(description, { pattern: `^(${go}+|0)$` })
}

export function duration(description: string) {
  return text(description, { pattern: `^(${go}+)$` })
}
