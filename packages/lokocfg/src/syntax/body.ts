/**
 * The attributes and blocks of a file, with their places; expressions stay text. For text that the HCL library has
 * taken: it gives values without places, and this finds the places.
 */
import { endOfExpression, endOfString, identifierAt, skipBlank } from './scanner.ts'

/** `T`: what stands for an expression. Indexes are of characters, in UTF-16 units. */
export interface Body<T> {
  readonly attributes: readonly Attribute<T>[]
  readonly blocks: readonly Block<T>[]
}

export interface Attribute<T> {
  readonly name: string
  readonly index: number
  readonly expression: T
}

export interface Block<T> {
  readonly type: string
  readonly labels: readonly string[]
  readonly index: number
  readonly body: Body<T>
}

export interface ExpressionText {
  readonly text: string
  readonly index: number
}

export function scanBody(text: string): Body<ExpressionText> {
  return bodyAt(text, 0).body
}

function bodyAt(text: string, start: number): { readonly body: Body<ExpressionText>; readonly end: number } {
  const attributes: Attribute<ExpressionText>[] = []
  const blocks: Block<ExpressionText>[] = []
  for (let at = skipBlank(text, start); ; ) {
    const name = identifierAt(text, at)
    if (name === undefined) return { body: { attributes, blocks }, end: at + 1 }
    const next = skipBlank(text, at + name.length, false)
    if (text[next] === '=') {
      const index = skipBlank(text, next + 1, false)
      const end = endOfExpression(text, index)
      attributes.push({ name, index: at, expression: { text: text.slice(index, end), index } })
      at = skipBlank(text, end)
    } else {
      const { labels, end: open } = labelsAt(text, next)
      const { body, end } = bodyAt(text, open + 1)
      blocks.push({ type: name, labels, index: at, body })
      at = skipBlank(text, end)
    }
  }
}

/** Up to the bracket that opens the block. */
function labelsAt(text: string, start: number): { readonly labels: readonly string[]; readonly end: number } {
  const labels: string[] = []
  for (let at = start; ; ) {
    const isQuoted = text[at] === '"'
    const end = isQuoted ? endOfString(text, at) : at + (identifierAt(text, at)?.length ?? 0)
    if (end === at) return { labels, end: at }
    labels.push(isQuoted ? text.slice(at + 1, end - 1) : text.slice(at, end))
    at = skipBlank(text, end, false)
  }
}

export async function mapExpressions<A, B>(
  body: Body<A>,
  map: (expression: A) => Promise<B>,
): Promise<Body<B>> {
  const attributes = body.attributes.map(async (one) => ({ ...one, expression: await map(one.expression) }))
  const blocks = body.blocks.map(async (one) => ({ ...one, body: await mapExpressions(one.body, map) }))
  return { attributes: await Promise.all(attributes), blocks: await Promise.all(blocks) }
}
