/**
 * HTTPProxy match conditions → one RouteMatch. Path pieces of a route and of the includes above it are joined,
 * header and query conditions are all required.
 */

import type { MatchCondition } from '@landfall/api'
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch } from './match.ts'
import { isParameterName } from './policies/header-limits.ts'
import { isRegex } from './regex.ts'

export interface ConditionProblem {
  readonly kind: 'path' | 'header' | 'query'
  readonly message: string
}

type Conditions = readonly MatchCondition[]
type HeaderCondition = NonNullable<MatchCondition['header']>
type QueryCondition = NonNullable<MatchCondition['queryParameter']>

/** Checks one block of conditions: those of one route or of one include. */
export function checkConditions(
  conditions: Conditions,
  of: 'route' | 'include',
): readonly ConditionProblem[] {
  return [
    ...pathProblems(conditions, of).map((message) => ({ kind: 'path' as const, message })),
    ...headerProblems(conditions).map((message) => ({ kind: 'header' as const, message })),
    ...queryProblems(conditions).map((message) => ({ kind: 'query' as const, message })),
    ...checkTogether(conditions),
  ]
}

/** What cannot hold together, of conditions that are good each for itself. */
export function checkTogether(conditions: Conditions): readonly ConditionProblem[] {
  const at = (kind: 'header' | 'query') => (message: string) => ({ kind, message: `conditions.${message}` })
  const headers = conditions.flatMap((condition) => condition.header ?? [])
  const parameters = conditions.flatMap((condition) => condition.queryParameter ?? [])
  return [...headerConflicts(headers).map(at('header')), ...queryConflicts(parameters).map(at('query'))]
}

/** Conditions, or parts of them, that count for nothing, as with Contour. */
export function silentConditionParts(conditions: Conditions): readonly string[] {
  return [
    ...conditions.flatMap(({ header }) => (header === undefined ? [] : silentOfHeader(header))),
    ...conditions.flatMap(({ queryParameter }) =>
      queryParameter?.ignoreCase === true && given(queryParameter.regex)
        ? [`queryParameter "${queryParameter.name}": ignoreCase is ignored with regex; write (?i) into it`]
        : [],
    ),
  ]
}

const headerKinds = [
  'present',
  'notpresent',
  'contains',
  'notcontains',
  'exact',
  'notexact',
  'regex',
] as const

function silentOfHeader(header: HeaderCondition): readonly string[] {
  const at = `header "${header.name}"`
  const [first, ...others] = headerKinds.filter((kind) => header[kind] === true || asks(header[kind]))
  if (first === undefined) return [`${at}: ignored, as none of present, notpresent, contains, … is set`]
  const caseless = ['contains', 'notcontains', 'exact', 'notexact'].includes(first)
  const missable = ['notcontains', 'notexact'].includes(first)
  return [
    ...others.map((kind) => `${at}: ${kind} is ignored beside ${first}; give it a condition of its own`),
    ...(header.ignoreCase === true && !caseless
      ? [`${at}: ignoreCase is ignored with ${first}${first === 'regex' ? '; write (?i) into it' : ''}`]
      : []),
    ...(header.treatMissingAsEmpty === true && !missable
      ? [`${at}: treatMissingAsEmpty is ignored with ${first}`]
      : []),
  ]
}

function asks(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** The blocks from the root's include down to the route, each of them checked. */
export function mergeConditions(blocks: readonly Conditions[]): RouteMatch {
  const all = blocks.flat()
  return {
    path: mergePaths(all),
    headers: all.flatMap((condition) =>
      condition.header === undefined ? [] : headerMatch(condition.header),
    ),
    query: all.flatMap((condition) =>
      condition.queryParameter === undefined ? [] : queryMatch(condition.queryParameter),
    ),
  }
}

function pathPieces(condition: MatchCondition): readonly PathMatch[] {
  return (['prefix', 'exact', 'regex'] as const).flatMap((kind) => {
    const value = condition[kind]
    return value === undefined || value === '' ? [] : { kind, value }
  })
}

/** An include's prefix holds for all that a regular expression below it says, and is none itself. */
function mergePaths(all: Conditions): PathMatch {
  const pieces = all.flatMap(pathPieces)
  const last = pieces.at(-1)
  if (last === undefined) return { kind: 'prefix', value: '/' }
  const before = joined(pieces.slice(0, -1))
  if (last.kind !== 'regex' || before === '') return { kind: last.kind, value: joined(pieces) }
  const regex = joined([last])
  const grouped = regex.includes('|') ? `(?:${regex})` : regex
  return { kind: 'regex', value: `${quoted(before.replace(/\/$/, ''))}${grouped}` }
}

function joined(pieces: readonly PathMatch[]): string {
  return pieces
    .map((piece) => piece.value)
    .join('')
    .replace(/\/{2,}/g, '/')
}

/** As a regular expression that matches it alone. */
function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function pathProblems(conditions: Conditions, of: 'route' | 'include'): readonly string[] {
  const pieces = conditions.flatMap(pathPieces)
  const problems: string[] = []
  if (pieces.length > 1) {
    const listed = pieces.map((piece) => `${piece.kind} "${piece.value}"`).join(', ')
    problems.push(
      `conditions: more than one path condition (${listed}), at most one of prefix, exact and regex`,
    )
  }
  for (const { kind, value } of pieces) {
    if (!value.startsWith('/')) problems.push(`conditions.${kind}: "${value}" does not start with /`)
    if (of === 'include' && kind !== 'prefix') problems.push(`conditions.${kind}: not allowed on an include`)
    else if (kind === 'regex' && !isRegex(value))
      problems.push(`conditions.regex: "${value}" is not an RE2 regex`)
  }
  return problems
}

/** Empty when the condition says nothing. */
export function headerMatch(condition: HeaderCondition): readonly HeaderMatch[] {
  const base = {
    name: condition.name,
    ignoreCase: condition.ignoreCase === true,
    missingAsEmpty: condition.treatMissingAsEmpty === true,
  }
  const make = (kind: HeaderMatch['kind'], value: string, invert: boolean): readonly HeaderMatch[] => [
    {
      ...base,
      kind,
      value,
      invert,
      missingAsEmpty: base.missingAsEmpty && invert && kind !== 'present',
      ignoreCase: base.ignoreCase && (kind === 'exact' || kind === 'contains'),
    },
  ]
  if (condition.present === true) return make('present', '', false)
  if (condition.notpresent === true) return make('present', '', true)
  if (given(condition.contains)) return make('contains', condition.contains, false)
  if (given(condition.notcontains)) return make('contains', condition.notcontains, true)
  if (given(condition.exact)) return make('exact', condition.exact, false)
  if (given(condition.notexact)) return make('exact', condition.notexact, true)
  if (given(condition.regex)) return make('regex', condition.regex, false)
  return []
}

function headerProblems(conditions: Conditions): readonly string[] {
  return conditions.flatMap(({ header }) =>
    header === undefined ? [] : headerProblem(header).map((problem) => `conditions.${problem}`),
  )
}

function headerProblem(header: HeaderCondition): readonly string[] {
  const isName = /^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header.name)
  return [
    ...(isName ? [] : [`header: "${header.name}" is not a header name`]),
    ...(given(header.regex) && !isRegex(header.regex)
      ? [`header "${header.name}": "${header.regex}" is not an RE2 regex`]
      : []),
  ]
}

/** Of headers that must all say something. */
export function checkHeaders(headers: readonly HeaderCondition[]): readonly string[] {
  const silent = headers
    .filter((header) => headerMatch(header).length === 0)
    .map(({ name }) => `header "${name}": none of present, notpresent, contains, … is set`)
  return [...headers.flatMap(headerProblem), ...silent, ...headerConflicts(headers)]
}

function headerConflicts(headers: readonly HeaderCondition[]): readonly string[] {
  const groups = Map.groupBy(headers.flatMap(headerMatch), (match) => match.name.toLowerCase())
  return [...groups].flatMap(([name, matches]) => {
    const conflict = headerConflict(matches)
    return conflict === undefined ? [] : `header "${name}": ${conflict} cannot both hold`
  })
}

function headerConflict(matches: readonly HeaderMatch[]): string | undefined {
  const of = (kind: HeaderMatch['kind'], invert: boolean) =>
    matches.filter((match) => match.kind === kind && match.invert === invert).map((match) => match.value)
  const both = (kind: HeaderMatch['kind']) => of(kind, false).some((value) => of(kind, true).includes(value))
  if (both('present')) return 'present and notpresent'
  if (new Set(of('exact', false)).size > 1 || of('exact', false).length > 1) return 'two exact values'
  if (both('exact')) return 'exact and notexact of one value'
  if (both('contains')) return 'contains and notcontains of one value'
  return undefined
}

function queryMatch(condition: QueryCondition): readonly QueryMatch[] {
  const kinds = ['exact', 'prefix', 'suffix', 'regex', 'contains'] as const
  const ignoreCase = condition.ignoreCase === true
  const texts = kinds.flatMap((kind): readonly QueryMatch[] => {
    const value = condition[kind]
    return given(value)
      ? [{ name: condition.name, kind, value, ignoreCase: ignoreCase && kind !== 'regex' }]
      : []
  })
  const present: readonly QueryMatch[] =
    condition.present === true
      ? [{ name: condition.name, kind: 'present', value: '', ignoreCase: false }]
      : []
  return [...texts, ...present]
}

function queryProblems(conditions: Conditions): readonly string[] {
  const parameters = conditions.flatMap((condition) => condition.queryParameter ?? [])
  const problems: string[] = []
  for (const parameter of parameters) {
    const at = `conditions.queryParameter "${parameter.name}"`
    const matches = queryMatch(parameter)
    if (parameter.name === '') problems.push('conditions.queryParameter: the name is empty')
    if (!isParameterName(parameter.name)) problems.push('conditions.queryParameter: the name is too long')
    if (matches.length !== 1)
      problems.push(`${at}: exactly one kind of match is expected, not ${matches.length}`)
    if (given(parameter.regex) && !isRegex(parameter.regex)) {
      problems.push(`${at}: "${parameter.regex}" is not an RE2 regex`)
    }
  }
  return problems
}

function queryConflicts(parameters: readonly QueryCondition[]): readonly string[] {
  const exact = parameters.filter((parameter) => given(parameter.exact))
  const names = exact.map(({ name }) => name.toLowerCase())
  return exact.flatMap(({ name }, index) =>
    names.indexOf(name.toLowerCase()) === index
      ? []
      : `queryParameter "${name}": two exact values cannot both hold`,
  )
}

function given(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}
