/** Rows → lines with aligned columns. Colour is put on afterwards, since it takes no room. */
import type { Colour, Paint } from './paint.ts'

export interface Cell {
  readonly text: string
  readonly colour?: Colour
}

export function cell(text: string, colour?: Colour): Cell {
  return { text, ...(colour === undefined ? {} : { colour }) }
}

export function table(head: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const all = [head.map((text) => cell(text, 'dim')), ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.text.length ?? 0)))
  return all.map((row) => {
    const last = row.findLastIndex(({ text }) => text !== '')
    return row
      .slice(0, last + 1)
      .map(({ text, colour }, column) => {
        const padded = column === last ? text : text.padEnd(widths[column] ?? 0)
        return colour === undefined ? padded : paint(padded, colour)
      })
      .join('  ')
  })
}
