/**
 * Strict reading of a block: attributes by name and type; what nobody asked for is a problem, and so is a value of
 * another type, a block for an attribute, and an attribute for a block. Nothing is converted: a label value that is not
 * quoted is told to be.
 */
import { type Place, Problems } from '../problem.ts'
import type { Block } from '../syntax/body.ts'
import type { Expression } from '../syntax/expression.ts'
import { evaluate, type Scope } from './evaluate.ts'
import { kindName, type Value } from './value.ts'

/** A value of the type, or a problem that begins with `path`. */
export type Decoder<T> = (value: Value, path: string, problems: Problems) => T | undefined

/** What was read, and where it was written. */
export interface Located<T> {
  readonly value: T
  readonly at: Place
}

export interface Context {
  readonly scope: Scope
  readonly problems: Problems
  /** Where a block begins: the library's places are of expressions. */
  readonly placeOf: (index: number) => Place
}

export class BlockReader {
  readonly #block: Block<Expression>
  readonly #context: Context
  readonly #path: string
  readonly #asked = new Set<string>()

  /** @param path what problems call the block: `component "metallb"` */
  constructor(block: Block<Expression>, context: Context, path: string) {
    this.#block = block
    this.#context = context
    this.#path = path
  }

  get at(): Place {
    return this.#context.placeOf(this.#block.index)
  }

  get problems(): Problems {
    return this.#context.problems
  }

  /** undefined when it is not given, is null, or has a problem */
  read<T>(name: string, decode: Decoder<T>): Located<T> | undefined {
    this.#asked.add(name)
    for (const { index } of this.#block.body.blocks.filter(({ type }) => type === name)) {
      const at = this.#context.placeOf(index)
      this.refuse('WrongType', `${name} is an attribute: write \`${name} = ${opening(decode, at)}\``, at)
    }
    const attribute = this.#block.body.attributes.find((one) => one.name === name)
    if (attribute === undefined) return undefined
    const { scope, problems } = this.#context
    const value = evaluate(attribute.expression, scope, problems)
    if (value === undefined || value.kind === 'null') return undefined
    const decoded = decode(value, `${this.#path}: ${name}`, problems)
    return decoded === undefined ? undefined : { value: decoded, at: value.at }
  }

  /** Every block of a type, in order. */
  blocks(type: string): readonly BlockReader[] {
    this.#asked.add(type)
    for (const { index } of this.#block.body.attributes.filter(({ name }) => name === type)) {
      const at = this.#context.placeOf(index)
      this.refuse('WrongType', `${type} is a block: write \`${type} {\``, at)
    }
    const found = this.#block.body.blocks.filter((one) => one.type === type)
    return found.map((block) => {
      const reader = new BlockReader(block, this.#context, `${this.#path}: ${type}`)
      if (block.labels.length > 0)
        reader.refuse('UnknownBlock', `takes no label, and has "${block.labels[0]}"`)
      return reader
    })
  }

  /** A block of which there may be one. */
  block(type: string): BlockReader | undefined {
    const [first, second] = this.blocks(type)
    second?.refuse('Duplicate', 'may be given once')
    return first
  }

  refuse(code: Parameters<Problems['report']>[0], message: string, at: Place = this.at): undefined {
    return this.problems.report(code, at, `${this.#path}: ${message}`)
  }

  warn(message: string, at: Place): void {
    this.problems.warn(at, `${this.#path}: ${message}`)
  }

  /** Reports what is there and nobody asked for. */
  finish(): void {
    const known = [...this.#asked].toSorted((a, b) => a.localeCompare(b, 'en'))
    const names = known.length === 0 ? 'nothing may be set here' : `there are ${known.join(', ')}`
    const { attributes, blocks } = this.#block.body
    for (const { name, index } of attributes) {
      if (this.#asked.has(name)) continue
      this.refuse('UnknownAttribute', `there is no ${name}; ${names}`, this.#context.placeOf(index))
    }
    for (const { type, index } of blocks) {
      if (this.#asked.has(type)) continue
      this.refuse('UnknownBlock', `there is no ${type}; ${names}`, this.#context.placeOf(index))
    }
  }
}

/** How a value begins that the decoder takes. */
function opening(decode: Decoder<unknown>, at: Place): string {
  const values: readonly (readonly [string, Value])[] = [
    ['{', { kind: 'map', entries: new Map(), at }],
    ['[', { kind: 'list', items: [], at }],
    ['"…"', { kind: 'text', value: '', at }],
    ['true', { kind: 'boolean', value: true, at }],
  ]
  return values.find(([, value]) => decode(value, '', new Problems()) !== undefined)?.[0] ?? '…'
}

export const text: Decoder<string> = (value, path, problems) => {
  if (value.kind === 'text') return value.value
  const quoted = !('value' in value)
    ? ''
    : value.kind === 'number' // 1.10 and 010 are not known any more as they are written
      ? '; what is written there must be quoted'
      : `; it must be quoted: "${String(value.value)}"`
  const code = quoted === '' ? 'WrongType' : 'NotQuoted'
  return problems.report(code, value.at, `${path} takes a text, not ${kindName(value.kind)}${quoted}`)
}

export const boolean: Decoder<boolean> = (value, path, problems) =>
  value.kind === 'boolean' ? value.value : wrong(value, path, 'true or false', problems)

export const wholeNumber: Decoder<number> = (value, path, problems) =>
  value.kind === 'number' && Number.isSafeInteger(value.value)
    ? value.value
    : wrong(value, path, 'a whole number', problems)

/** Items keep their places. */
export function listOf<T>(decode: Decoder<T>): Decoder<readonly Located<T>[]> {
  return (value, path, problems) => {
    if (value.kind !== 'list') return wrong(value, path, 'a list', problems)
    return value.items.flatMap((item, index) => {
      const decoded = decode(item, `${path}[${index}]`, problems)
      return decoded === undefined ? [] : [{ value: decoded, at: item.at }]
    })
  }
}

export function mapOf<T>(decode: Decoder<T>): Decoder<ReadonlyMap<string, T>> {
  return (value, path, problems) => {
    if (value.kind !== 'map') return wrong(value, path, 'a map', problems)
    const entries = [...value.entries].flatMap(([key, entry]) => {
      const decoded = decode(entry, `${path}["${key}"]`, problems)
      return decoded === undefined ? [] : [[key, decoded] as const]
    })
    return new Map(entries)
  }
}

function wrong(value: Value, path: string, expected: string, problems: Problems): undefined {
  return problems.report('WrongType', value.at, `${path} takes ${expected}, not ${kindName(value.kind)}`)
}
