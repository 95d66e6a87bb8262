/**
 * Expressions → values: variables and the two functions that .lokocfg files have. What HCL has beyond that (operators,
 * conditions, for) is refused by name.
 */
import type { Place, Problems } from '../problem.ts'
import type { Expression, MapEntry } from '../syntax/expression.ts'
import { kindName, type Value } from './value.ts'

/** What expressions may ask for. */
export interface Scope {
  /** By name; undefined in the map: declared, but nothing gives it a value. */
  readonly variables: ReadonlyMap<string, Value | undefined>
  readonly functions: Readonly<Record<string, TextFunction>>
}

/** Text to text. */
export type TextFunction = (
  argument: string,
) => { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string }

/** @returns undefined when it has no value, and says why in `problems` */
export function evaluate(expression: Expression, scope: Scope, problems: Problems): Value | undefined {
  const { at, text } = expression
  switch (expression.kind) {
    case 'literal':
      return literal(expression.value, at)
    case 'template':
      return templateValue(expression.parts, at, scope, problems)
    case 'list': {
      const items = expression.items.map((item) => evaluate(item, scope, problems))
      return { kind: 'list', at, items: items.filter((item) => item !== undefined) }
    }
    case 'map':
      return { kind: 'map', at, entries: entriesOf(expression.entries, scope, problems) }
    case 'reference':
      return lookUp(expression.path, text, at, scope, problems)
    case 'call':
      return call(expression, scope, problems)
    default:
      return problems.report(
        'NotSupported',
        at,
        `${text}: ${expression.what} is not supported here; a text must be quoted`,
      )
  }
}

function literal(value: number | boolean | null, at: Place): Value {
  if (value === null) return { kind: 'null', at }
  return typeof value === 'number' ? { kind: 'number', at, value } : { kind: 'boolean', at, value }
}

function templateValue(
  parts: readonly (string | Expression)[],
  at: Place,
  scope: Scope,
  problems: Problems,
): Value | undefined {
  const texts = parts.map((part) => {
    if (typeof part === 'string') return part
    const value = evaluate(part, scope, problems)
    if (value === undefined || 'value' in value) return value && String(value.value)
    return problems.report('WrongType', part.at, `${part.text} is ${kindName(value.kind)}, which has no text`)
  })
  return texts.every((text) => text !== undefined) ? { kind: 'text', at, value: texts.join('') } : undefined
}

function entriesOf(
  entries: readonly MapEntry[],
  scope: Scope,
  problems: Problems,
): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>()
  for (const entry of entries) {
    const key = keyOf(entry, scope, problems)
    const value = evaluate(entry.value, scope, problems)
    if (key === undefined || value === undefined) continue
    if (found.has(key)) problems.report('Duplicate', entry.at, `the key "${key}" is given twice`)
    else found.set(key, value)
  }
  return found
}

function keyOf({ key, at }: MapEntry, scope: Scope, problems: Problems): string | undefined {
  if (typeof key === 'string') return key
  if (key.kind === 'reference' && key.path[0] === 'var') {
    const value = evaluate(key, scope, problems)
    return value?.kind === 'text' ? value.value : undefined
  }
  if (key.kind === 'template') {
    const value = evaluate(key, scope, problems)
    return value?.kind === 'text' ? value.value : undefined
  }
  const message = `a key with special characters must be quoted: "${key.text}"`
  return problems.report('NotQuoted', at, message)
}

function lookUp(
  path: readonly string[],
  text: string,
  at: Place,
  scope: Scope,
  problems: Problems,
): Value | undefined {
  const [root, name, ...rest] = path
  if (root !== 'var' || name === undefined) {
    return problems.report('NotQuoted', at, `${text} stands for nothing; a text must be quoted: "${text}"`)
  }
  const variable = scope.variables.get(name)
  if (variable === undefined) {
    return scope.variables.has(name)
      ? problems.report('MissingValue', at, `the variable ${name} has neither a default nor a value`)
      : problems.report('UnknownVariable', at, `there is no variable ${name}`)
  }
  let value: Value | undefined = variable
  for (const step of rest) value = stepInto(value, step)
  if (value === undefined) return problems.report('UnknownVariable', at, `there is no ${text}`)
  return { ...value, at }
}

function stepInto(value: Value | undefined, step: string): Value | undefined {
  if (value?.kind === 'map') return value.entries.get(step)
  return value?.kind === 'list' ? value.items[Number(step)] : undefined
}

function call(
  expression: Expression & { readonly kind: 'call' },
  { variables, functions }: Scope,
  problems: Problems,
): Value | undefined {
  const { name, at } = expression
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (known === undefined) {
    const names = Object.keys(functions).map((one) => `${one}()`)
    return problems.report(
      'UnknownFunction',
      at,
      `there is no function ${name}(); there are ${names.join(', ')}`,
    )
  }
  const [argument, ...more] = expression.arguments.map((one) =>
    evaluate(one, { variables, functions }, problems),
  )
  if (expression.arguments.length !== 1 || more.length > 0) {
    return problems.report(
      'WrongType',
      at,
      `${name}() takes one argument, not ${expression.arguments.length}`,
    )
  }
  if (argument === undefined) return undefined
  if (argument.kind !== 'text') {
    return problems.report('WrongType', argument.at, `${name}() takes a text, not ${kindName(argument.kind)}`)
  }
  const result = known(argument.value)
  if (!result.ok)
    return problems.report('UnreadableFile', at, `${name}("${argument.value}"): ${result.message}`)
  return { kind: 'text', at, value: result.value }
}
