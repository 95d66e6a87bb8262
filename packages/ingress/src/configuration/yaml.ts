/** What a YAML document says; an alias of nothing, or of too much, is found only when its value is made. */
import type { Document, ParsedNode } from 'yaml'

export type Said =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly message: string }

export function said(document: Document<ParsedNode>): Said {
  const [error] = document.errors
  if (error !== undefined) return { kind: 'unreadable', message: error.message }
  try {
    return { kind: 'value', value: document.toJS() }
  } catch (thrown) {
    return { kind: 'unreadable', message: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}
