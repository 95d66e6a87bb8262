/**
 * Reading of the ConfigMap's mappings, key by key. All scalars are text, as they stand in the file. What is of the
 * wrong kind is reported under its path; keys that nobody asked for are reported too, where the dialect is strict.
 */
import type { Problems } from '../refusal.ts'

export interface Section {
  /** `peers[0]`; '' is the whole. */
  readonly path: string
  has(key: string): boolean
  isList(key: string): boolean
  text(key: string): string | undefined
  flag(key: string): boolean | undefined
  /** A whole number from 0 to `most`. */
  whole(key: string, most: number): number | undefined
  texts(key: string): readonly string[]
  /** A mapping of texts. */
  map(key: string): Readonly<Record<string, string>>
  section(key: string): Section | undefined
  sections(key: string): readonly Section[]
  /** Where a key is, for messages. */
  at(key: string): string
  report(key: string, reason: Parameters<Problems['report']>[1], problem: string): void
  /** Reports the keys that nobody asked for. */
  finish(): void
}

type Mapping = Readonly<Record<string, unknown>>

export function readSection(value: unknown, path: string, problems: Problems, strict: boolean): Section {
  const fields: Mapping = isMapping(value) ? value : {}
  if (!isMapping(value) && !isAbsent(value)) {
    problems.report(path || 'config', 'InvalidValue', 'it must be a mapping')
  }
  const asked = new Set<string>()
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  const get = (key: string): unknown => {
    asked.add(key)
    return isAbsent(fields[key]) ? undefined : fields[key]
  }
  const wrong = (key: string, kind: string): undefined => {
    problems.report(at(key), 'InvalidValue', `it must be ${kind}`)
    return undefined
  }
  const scalar = (key: string, kind: string): string | undefined => {
    const found = get(key)
    return found === undefined || typeof found === 'string' ? found : wrong(key, kind)
  }
  const list = (key: string): readonly unknown[] => {
    const found = get(key)
    return found === undefined ? [] : Array.isArray(found) ? found : (wrong(key, 'a list') ?? [])
  }
  return {
    path,
    at,
    has: (key) => !isAbsent(fields[key]),
    isList: (key) => Array.isArray(fields[key]),
    text: (key) => scalar(key, 'a text'),
    flag: (key) => {
      const written = scalar(key, 'true or false')
      if (written === undefined) return undefined
      if (/^(true|yes|on|y)$/i.test(written)) return true
      return /^(false|no|off|n)$/i.test(written) ? false : wrong(key, 'true or false')
    },
    whole: (key, most) => {
      const kind = `a whole number from 0 to ${most}`
      const written = scalar(key, kind)
      if (written === undefined) return undefined
      return /^\d{1,15}$/.test(written) && Number(written) <= most ? Number(written) : wrong(key, kind)
    },
    texts: (key) =>
      list(key).flatMap((one, index) =>
        typeof one === 'string' ? one : (wrong(`${key}[${index}]`, 'a text') ?? []),
      ),
    map: (key) => {
      const found = get(key) ?? {}
      if (!isMapping(found)) return wrong(key, 'a mapping') ?? {}
      const entries = Object.entries(found)
      for (const [name, one] of entries) if (typeof one !== 'string') wrong(`${key}.${name}`, 'a text')
      return Object.fromEntries(
        entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    },
    section: (key) => {
      const found = get(key)
      return found === undefined ? undefined : readSection(found, at(key), problems, strict)
    },
    sections: (key) =>
      list(key).map((one, index) => readSection(one, at(`${key}[${index}]`), problems, strict)),
    report: (key, reason, problem) => problems.report(at(key), reason, problem),
    finish: () => {
      if (!strict) return
      for (const key of Object.keys(fields)) {
        if (!asked.has(key)) problems.report(at(key), 'UnknownField', 'there is no such key')
      }
    },
  }
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Nothing behind the colon, or YAML's words for it. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '~' || value === 'null'
}
