/** The rules on single values: numbers, enums, strings, bytes, durations. Each answers what is wrong, in words. */
import type { DescEnum } from '@bufbuild/protobuf'
import { isFieldSet } from '@bufbuild/protobuf'
import type { Duration } from '@bufbuild/protobuf/wkt'
import {
  type BytesRules,
  BytesRulesSchema,
  type DurationRules,
  type EnumRules,
  KnownRegex,
  type StringRules,
  StringRulesSchema,
} from '../gen/validate/validate_pb.ts'

export type Found = readonly string[]

/** The fields that the rules of all number types have; unset ones are undefined. */
export interface NumberRules {
  readonly const: number | bigint | undefined
  readonly lt: number | bigint | undefined
  readonly lte: number | bigint | undefined
  readonly gt: number | bigint | undefined
  readonly gte: number | bigint | undefined
  readonly in: readonly (number | bigint)[]
  readonly notIn: readonly (number | bigint)[]
}

function complain(...checks: readonly (readonly [wrong: boolean, words: string])[]): Found {
  return checks.filter(([wrong]) => wrong).map(([, words]) => words)
}

export function checkNumber(rules: NumberRules, value: number | bigint): Found {
  const { lt, lte, gt, gte } = rules
  const upper = lt ?? lte
  const lower = gt ?? gte
  const below = lt !== undefined ? value < lt : lte === undefined || value <= lte
  const above = gt !== undefined ? value > gt : gte === undefined || value >= gte
  // Bounds the wrong way round mean: outside of them.
  const inside = upper !== undefined && lower !== undefined && upper < lower ? below || above : below && above
  return complain(
    [rules.const !== undefined && value !== rules.const, `must be ${rules.const}`],
    [!inside, `${value} is not within ${describeBounds(rules)}`],
    [rules.in.length > 0 && !rules.in.includes(value), `must be one of ${rules.in.join(', ')}`],
    [rules.notIn.includes(value), `must not be ${value}`],
  )
}

function describeBounds({ lt, lte, gt, gte }: NumberRules): string {
  const words = [
    gt !== undefined ? `> ${gt}` : gte !== undefined ? `>= ${gte}` : '',
    lt !== undefined ? `< ${lt}` : lte !== undefined ? `<= ${lte}` : '',
  ]
  return words.filter((word) => word !== '').join(' and ')
}

export function checkEnum(rules: EnumRules, value: number, desc: DescEnum): Found {
  return complain(
    [rules.definedOnly && desc.value[value] === undefined, `${value} is no value of ${desc.typeName}`],
    [rules.in.length > 0 && !rules.in.includes(value), `must be one of ${rules.in.join(', ')}`],
    [rules.notIn.includes(value), `must not be ${desc.value[value]?.name ?? value}`],
  )
}

/** Without `strict` only what would break a header line. */
const looseHeader = /^[^\0\r\n]*$/
const headerName = /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/
/** Control characters other than the tab are refused. */
function isHeaderValue(text: string): boolean {
  return Array.from(text).every(
    (character) => character === '\t' || (character >= ' ' && character !== '\x7f'),
  )
}

export function checkString(rules: StringRules, value: string): Found {
  if (rules.ignoreEmpty && value === '') return []
  const has = (field: (typeof StringRulesSchema)['field'][keyof (typeof StringRulesSchema)['field']]) =>
    isFieldSet(rules, field)
  const fields = StringRulesSchema.field
  const characters = BigInt(Array.from(value).length)
  const bytes = BigInt(new TextEncoder().encode(value).length)
  return [
    ...complain(
      [has(fields.const) && value !== rules.const, `must be '${rules.const}'`],
      [has(fields.len) && characters !== rules.len, `must have ${rules.len} characters`],
      [has(fields.minLen) && characters < rules.minLen, `must have at least ${rules.minLen} characters`],
      [has(fields.maxLen) && characters > rules.maxLen, `must have at most ${rules.maxLen} characters`],
      [has(fields.minBytes) && bytes < rules.minBytes, `must have at least ${rules.minBytes} bytes`],
      [has(fields.maxBytes) && bytes > rules.maxBytes, `must have at most ${rules.maxBytes} bytes`],
      [has(fields.prefix) && !value.startsWith(rules.prefix), `must begin with '${rules.prefix}'`],
      [has(fields.suffix) && !value.endsWith(rules.suffix), `must end with '${rules.suffix}'`],
      [has(fields.contains) && !value.includes(rules.contains), `must contain '${rules.contains}'`],
      [
        has(fields.notContains) && value.includes(rules.notContains),
        `must not contain '${rules.notContains}'`,
      ],
      [has(fields.pattern) && !new RegExp(rules.pattern).test(value), `must match ${rules.pattern}`],
      [rules.in.length > 0 && !rules.in.includes(value), `must be one of ${rules.in.join(', ')}`],
      [rules.notIn.includes(value), `must not be '${value}'`],
    ),
    ...checkWellKnown(rules, value),
  ]
}

function checkWellKnown(rules: StringRules, value: string): Found {
  const { wellKnown, strict } = rules
  switch (wellKnown.case) {
    case 'wellKnownRegex': {
      const name = wellKnown.value === KnownRegex.HTTP_HEADER_NAME
      const kind = `HTTP header ${name ? 'name' : 'value'}`
      if (!strict) return complain([!looseHeader.test(value), `is no ${kind}`])
      // An empty name is the affair of min_len.
      const fine = name ? value === '' || headerName.test(value) : isHeaderValue(value)
      return complain([!fine, `is no ${kind}`])
    }
    case 'uriRef':
    case 'uri':
      return complain([/\s/.test(value), 'is no URI'])
    case 'hostname':
      return complain([!/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252})$/.test(value), 'is no host name'])
    case undefined:
      return []
    default:
      return [`rule ${wellKnown.case} is not known to this checker`]
  }
}

export function checkBytes(rules: BytesRules, value: Uint8Array): Found {
  const fields = BytesRulesSchema.field
  const length = BigInt(value.length)
  return complain(
    [isFieldSet(rules, fields.len) && length !== rules.len, `must have ${rules.len} bytes`],
    [isFieldSet(rules, fields.minLen) && length < rules.minLen, `must have at least ${rules.minLen} bytes`],
    [isFieldSet(rules, fields.maxLen) && length > rules.maxLen, `must have at most ${rules.maxLen} bytes`],
  )
}

const nanos = ({ seconds, nanos: rest }: Duration): bigint => seconds * 1_000_000_000n + BigInt(rest)
const spoken = (duration: Duration): string => `${Number(nanos(duration)) / 1e9}s`

export function checkDuration(rules: DurationRules, value: Duration): Found {
  const { lt, lte, gt, gte } = rules
  const given = nanos(value)
  return complain(
    [lt !== undefined && given >= nanos(lt), `must be shorter than ${lt && spoken(lt)}`],
    [lte !== undefined && given > nanos(lte), `must not be longer than ${lte && spoken(lte)}`],
    [gt !== undefined && given <= nanos(gt), `must be longer than ${gt && spoken(gt)}`],
    [gte !== undefined && given < nanos(gte), `must not be shorter than ${gte && spoken(gte)}`],
  )
}
