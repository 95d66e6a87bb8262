/**
 * An expression as a tree of our own, from the tree that the HCL library gives as JSON: its ranges count bytes from the
 * expression's start, its strings are source text, escapes and all.
 */
import type { Place } from '../problem.ts'
import { placeAt, type Source } from './source.ts'

export type Expression = { readonly at: Place; readonly text: string } & (
  | { readonly kind: 'literal'; readonly value: number | boolean | null }
  | { readonly kind: 'template'; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'map'; readonly entries: readonly MapEntry[] }
  /** `var.x`, or a word that should have been quoted. */
  | { readonly kind: 'reference'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'unsupported'; readonly what: string }
)

export interface MapEntry {
  /** A bare word stands for itself. */
  readonly key: string | Expression
  readonly at: Place
  readonly value: Expression
}

/** A node of the library's tree, as far as it is read. */
interface Node {
  readonly type: string
  readonly children: readonly Node[]
  readonly range: { readonly start: { readonly byte: number }; readonly end: { readonly byte: number } }
  readonly meta?: {
    readonly value?: string
    readonly type?: string
    readonly name?: string
    readonly operator?: string
    readonly expandedFinalArgument?: boolean
    readonly traversal?: readonly { readonly type: string; readonly segment: string }[]
  }
}

interface Whole {
  readonly source: Source
  readonly bytes: Uint8Array
  /** Where the expression begins in its file. */
  readonly index: number
}

/** @param index of the expression's first character in its file */
export function readTree(json: string, source: Source, text: string, index: number): Expression {
  const tree: Node = JSON.parse(json)
  return read(tree, { source, bytes: new TextEncoder().encode(text), index })
}

const unsupported: Readonly<Record<string, string>> = {
  binaryOp: 'an operator',
  unaryOp: 'an operator',
  conditional: 'a condition',
  for: 'a for expression',
  splat: 'a splat',
  index: 'an index',
  relativeTraversal: 'an attribute of a value',
}

function read(node: Node, whole: Whole): Expression {
  const common = { at: placeOf(node, whole), text: node.meta?.value ?? textOf(node, whole) }
  const { children, meta } = node
  switch (node.type) {
    case '':
      return children[0] === undefined
        ? { ...common, kind: 'reference', path: [common.text] }
        : read(children[0], whole)
    case 'literalValue':
      return { ...common, kind: 'literal', value: literalOf(meta?.type, meta?.value ?? '') }
    case 'template':
      return common.text.startsWith('<<-')
        ? { ...common, kind: 'unsupported', what: 'an indented heredoc (<<-)' }
        : { ...common, kind: 'template', parts: partsOf(node, whole, common.text.startsWith('<<')) }
    case 'templateWrap':
      return children[0] === undefined ? { ...common, kind: 'template', parts: [] } : read(children[0], whole)
    case 'tuple':
      return { ...common, kind: 'list', items: children.map((child) => read(child, whole)) }
    case 'object':
      return { ...common, kind: 'map', entries: entriesOf(children, whole) }
    case 'scopeTraversal':
      return { ...common, kind: 'reference', path: pathOf(meta?.traversal ?? []) }
    case 'function':
      return meta?.expandedFinalArgument === true
        ? { ...common, kind: 'unsupported', what: 'an expanded argument (...)' }
        : {
            ...common,
            kind: 'call',
            name: meta?.name ?? '',
            arguments: children.map((child) => read(child, whole)),
          }
    default:
      return negative(node) ?? { ...common, kind: 'unsupported', what: unsupported[node.type] ?? node.type }
  }

  function negative({ type, children: [operand] }: Node): Expression | undefined {
    if (type !== 'unaryOp' || meta?.operator !== 'negate' || operand?.meta?.type !== 'number')
      return undefined
    return { ...common, kind: 'literal', value: -Number(operand.meta.value) }
  }
}

function literalOf(type: string | undefined, value: string): number | boolean | null {
  if (type === 'number') return Number(value)
  return type === 'bool' ? value === 'true' : null
}

function partsOf(node: Node, whole: Whole, isHeredoc: boolean): readonly (string | Expression)[] {
  return node.children.map((child) => {
    const isText = child.type === 'literalValue' && child.meta?.type === 'string'
    return isText ? unescape(child.meta?.value ?? '', isHeredoc) : read(child, whole)
  })
}

function entriesOf(children: readonly Node[], whole: Whole): readonly MapEntry[] {
  const pairs: MapEntry[] = []
  for (let index = 0; index + 1 < children.length; index += 2) {
    const [key, value] = children.slice(index, index + 2)
    if (key === undefined || value === undefined) continue
    const name = key.children.length === 0 ? textOf(key, whole) : read(key, whole)
    pairs.push({ key: name, at: placeOf(key.children[0] ?? key, whole), value: read(value, whole) })
  }
  return pairs
}

function pathOf(
  traversal: readonly { readonly type: string; readonly segment: string }[],
): readonly string[] {
  return traversal.map(({ type, segment }) =>
    type === 'indexTraversal' && segment.startsWith('"') ? unescape(segment.slice(1, -1), false) : segment,
  )
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** Backslashes mean something in quotes only; `$${` and `%%{` everywhere. */
function unescape(raw: string, isHeredoc: boolean): string {
  const text = isHeredoc
    ? raw
    : raw.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/g, (_, code: string) =>
        code.length > 1 ? String.fromCodePoint(Number.parseInt(code.slice(1), 16)) : (escapes[code] ?? code),
      )
  return text.replaceAll('$${', '${').replaceAll('%%{', '%{')
}

/** The place of a string is that of its quote. */
function placeOf(node: Node, whole: Whole): Place {
  const before = decode(whole.bytes.subarray(0, node.range.start.byte))
  const isQuoted = node.meta?.value?.startsWith('"') === true && before.endsWith('"')
  return placeAt(whole.source, whole.index + before.length - (isQuoted ? 1 : 0))
}

function textOf(node: Node, { bytes }: Whole): string {
  return decode(bytes.subarray(node.range.start.byte, node.range.end.byte))
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
