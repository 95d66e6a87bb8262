/** How values of a configuration are read: each reader takes what YAML or JSON gave and says what is wrong with it. */
import { parseGoDuration } from '@landfall/api'
import { longestMs } from '../dag/policies/durations.ts'

/** @param say told what the value must be instead @returns undefined when something was said */
export type Reader<T> = (value: unknown, say: (message: string) => void) => T | undefined

/** Of a value that leaves the setting to its default. */
export const unsaid = Symbol('unsaid')

/** @param leaves the values that say nothing, as an empty text or a timeout of 0 does in Contour's file */
export function unless<T>(leaves: (value: unknown) => boolean, read: Reader<T>): Reader<T | typeof unsaid> {
  return (value, say) => (leaves(value) ? unsaid : read(value, say))
}

export function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}

/** Milliseconds, or no limit. */
export type Duration = number | 'infinite'

export interface Reference {
  readonly name: string
  readonly namespace: string
}

/** Without quotes YAML takes some texts for numbers: `1.2`. */
export const text: Reader<string> = (value, say) => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  say('must be a text')
  return undefined
}

/** A text that is there and not empty. */
export const full: Reader<string> = (value, say) => {
  const read = text(value, say)
  if (read === '') say('must not be empty')
  return read === '' ? undefined : read
}

export function pattern(form: RegExp, otherwise: string): Reader<string> {
  return (value, say) => {
    if (typeof value === 'string' && form.test(value)) return value
    say(otherwise)
    return undefined
  }
}

/** The words of YAML 1.1 too, as Contour takes them. */
const flags: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 'y', 'Y', 'yes', 'on'].map((word) => [word, true] as const),
  ...[false, 'n', 'N', 'no', 'off'].map((word) => [word, false] as const),
])

export const flag: Reader<boolean> = (value, say) => {
  const read = flags.get(value)
  if (read !== undefined) return read
  say('must be true or false')
  return undefined
}

export function whole(least: number, most: number = 0xffffffff): Reader<number> {
  return (value, say) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
    say(`must be a whole number, ${least} to ${most}`)
    return undefined
  }
}

export const positive: Reader<number> = (value, say) => {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  say('must be a number above 0')
  return undefined
}

export const port: Reader<number> = whole(1, 65535)

export function choice<const T extends string>(...choices: readonly T[]): Reader<T> {
  return (value, say) => {
    const found = choices.find((one) => one === (typeof value === 'number' ? String(value) : value))
    if (found === undefined)
      say(`"${String(value)}" is none of ${choices.map((one) => `"${one}"`).join(', ')}`)
    return found
  }
}

const positiveDuration: Reader<Duration> = (value, say) => {
  if (value === 'infinity' || value === 'infinite') return 'infinite'
  const seconds = typeof value === 'string' ? parseGoDuration(value) : undefined
  if (seconds !== undefined && seconds > 0)
    return Math.min(longestMs, Math.max(1, Math.round(seconds * 1000)))
  say(`"${String(value)}" is no duration such as 30s, nor infinity`)
  return undefined
}

const endingDuration: Reader<number> = (value, say) => {
  const read = positiveDuration(value, say)
  if (read === 'infinite') say('must be a duration such as 2s, not infinity')
  return read === 'infinite' ? undefined : read
}

function isZeroDuration(value: unknown): boolean {
  return value === '' || value === 0 || (typeof value === 'string' && parseGoDuration(value) === 0)
}

/** Go's notation, `infinity` or `infinite`; '' and zero say nothing. */
export const duration: Reader<Duration | typeof unsaid> = unless(isZeroDuration, positiveDuration)

/** A duration that must end. */
export const limited: Reader<number | typeof unsaid> = unless(isZeroDuration, endingDuration)

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, say) => {
    if (!Array.isArray(value)) {
      say('must be a list')
      return undefined
    }
    const read = value.map((one, index) => item(one, (message) => say(`item ${index}: ${message}`)))
    const good = read.filter((one) => one !== undefined)
    return good.length === read.length ? good : undefined
  }
}

type Fields<R> = { readonly [K in keyof R]?: R[K] extends Reader<infer T> ? T : never }

/** A map of fields that are known, each read by its own reader. */
export function shaped<const R extends Readonly<Record<string, Reader<unknown>>>>(
  readers: R,
): Reader<Fields<R>> {
  return (value, say) => {
    if (!isRecord(value)) {
      say('must be a map')
      return undefined
    }
    let good = true
    const read = Object.entries(value).map(([name, inner]) => {
      const reader = readers[name]
      const tell = (message: string): void => say(`${name}: ${message}`)
      const result = reader === undefined ? tell('is no key that is known') : reader(inner, tell)
      good &&= result !== undefined
      return [name, result] as const
    })
    return good ? (Object.fromEntries(read) as Fields<R>) : undefined
  }
}

export const textMap: Reader<Readonly<Record<string, string>>> = (value, say) => {
  if (!isRecord(value)) {
    say('must be a map')
    return undefined
  }
  const entries = Object.entries(value)
  const bad = entries.filter(([, one]) => !['string', 'number', 'boolean'].includes(typeof one))
  for (const [name] of bad) say(`"${name}" must be a text`)
  return bad.length > 0 ? undefined : Object.fromEntries(entries.map(([name, one]) => [name, String(one)]))
}

/** A list in which nothing can stand; `why` it is so. */
export function emptyList(why: string): Reader<readonly never[]> {
  return (value, say) => {
    if (Array.isArray(value) && value.length === 0) return []
    say(why)
    return undefined
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
