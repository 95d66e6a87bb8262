/** The text of one file, and the place of a character in it. */
import type { Place } from '../problem.ts'

export interface Source {
  /** As the user named it. */
  readonly file: string
  readonly text: string
}

/** @param index of a character, in UTF-16 units */
export function placeAt({ file, text }: Source, index: number): Place {
  const before = text.slice(0, index)
  const line = before.split('\n').length
  return { file, line, column: Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1 }
}
