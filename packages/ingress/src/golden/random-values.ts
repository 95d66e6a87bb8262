/**
 * For tests: values by chance over a schema. Each text is one that its field may well have or, now and then, one that it
 * should not.
 */

export type Random = () => number

/** The same numbers for the same seed (mulberry32), from 0 to below 1. */
export function randomOf(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Fields = Readonly<Record<string, unknown>>

export interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
}

export const names = ['one', 'two', 'gone']
const pairs = ['pair', 'away/pair', 'ca', 'gone', 'web/pair', 'a/b/c', '']
const authorities = ['ca', 'away/ca', 'pair', 'gone', 'web/ca', '']
const durations = ['1s', '500ms', '5m', 'infinity', '0s', '1ns', '99999999h', 'soon', '-1s', '']
const paths = ['/', '/a', '/a/b', '/a/', '//', 'x', '']
const regexes = ['/a.*', '/[0-9]+', '.*', '(', '(?=a)', '/a{1001}', '[[:none:]]', '\\']
const headers = ['x-a', 'X-B', 'Host', ':method', 'x a', 'x\u0001', '']
const values = [
  'v',
  'GET',
  '%REQ(x-a)%',
  '%REQ(:path?x_b):5%',
  '%HOSTNAME%',
  '100%',
  'é',
  'a\u0000b',
  'a\nb',
  '',
]
const addresses = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '10.0.0.0/33', 'nowhere', '']

/** By the name of the field; those first that are good. */
const pools: Readonly<Record<string, readonly string[]>> = {
  secretName: pairs,
  caSecret: authorities,
  crlSecret: authorities,
  prefix: paths,
  path: paths,
  pathPrefix: paths,
  replacement: paths,
  exact: [...paths, ...values],
  regex: regexes,
  response: durations,
  idle: durations,
  idleConnection: durations,
  perTryTimeout: durations,
  responseTimeout: durations,
  maxAge: durations,
  window: durations,
  timeout: durations,
  cacheDuration: durations,
  cidr: addresses,
  value: values,
  headerName: headers,
  protocol: ['h2', 'h2c', 'tls'],
  strategy: ['RoundRobin', 'WeightedLeastRequest', 'Random', 'Cookie', 'RequestHash', 'None'],
  uri: ['https://keys.test/a', 'http://keys.test:8080/', 'ftp://keys.test', ':', ''],
  namespace: ['web', '', 'away', 'gone'],
  targetNamespaces: ['web', '*', 'away', 'gone', ''],
  hostname: ['other.test', 'a b', ''],
  apiVersion: ['projectcontour.io/v1alpha1', 'v2'],
  aggression: ['1.0', '0.5', '-1', 'x'],
  subjectName: ['backend.test', ''],
}

export function pick<T>(random: Random, from: readonly T[]): T {
  if (from.length === 0) throw new Error('nothing to pick from')
  return from[Math.floor(random() * from.length)] as T
}

/** The good ones stand first. */
function text(random: Random, field: string, { pattern, minLength = 0 }: Schema): string | undefined {
  const pool =
    pools[field] ?? (/^(set|remove|allow\w+|expose\w+)$/.test(field) ? headers : [...names, ...values])
  const fitting = pool.filter(
    (one) => one.length >= minLength && (pattern === undefined || new RegExp(pattern, 'u').test(one)),
  )
  if (fitting.length === 0) return undefined
  return pick(random, random() < 0.8 ? fitting.slice(0, 2) : fitting)
}

export function valueOf(random: Random, field: string, schema: Schema): unknown {
  if (schema.enum !== undefined) return pick(random, schema.enum)
  switch (schema.type) {
    case 'object':
      return objectValue(random, schema)
    case 'array':
      return Array.from({ length: 1 + Math.floor(random() * 2) }, () =>
        valueOf(random, field, schema.items ?? {}),
      )
    case 'boolean':
      return random() < 0.5
    case 'integer':
    case 'number': {
      const { minimum = 0, maximum = schema.format === 'int32' ? 0x7fffffff : 0xffffffff } = schema
      if (field === 'port' && random() < 0.9) return 80
      return pick(
        random,
        [minimum, minimum + 1, 3, maximum].filter((one) => one >= minimum && one <= maximum),
      )
    }
    default:
      return text(random, field, schema)
  }
}

function objectValue(random: Random, { properties = {}, required = [] }: Schema): Fields {
  const entries = Object.entries(properties).flatMap(([name, inner]) => {
    if (!required.includes(name) && random() > 0.2) return []
    const made = valueOf(random, name, inner)
    return made === undefined ? [] : [[name, made] as const]
  })
  return Object.fromEntries(entries)
}
