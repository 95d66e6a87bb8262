/** What expressions become; each value knows where it was written, for whoever finds it wrong later. */
import type { Place } from '../problem.ts'

export type Value = { readonly at: Place } & (
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Value> }
)

const kindNames: Readonly<Record<Value['kind'], string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  list: 'a list',
  map: 'a map',
}

export function kindName(kind: Value['kind']): string {
  return kindNames[kind]
}
