/** The tables of the README beside this. */
import { readFileSync } from 'node:fs'

const lines = readFileSync(new URL('README.md', import.meta.url), 'utf8').split('\n')

/** The cells of all tables between the heading of this text and the next one, without their heads. */
export function rowsBelow(heading: string): readonly (readonly string[])[] {
  const start = lines.indexOf(`## ${heading}`)
  if (start < 0) throw new Error(`the README has no heading "${heading}"`)
  const end = lines.findIndex((line, index) => index > start && line.startsWith('## '))
  const below = lines.slice(start, end < 0 ? undefined : end)
  const isRow = (line: string | undefined) => line?.startsWith('|') === true
  const isRule = (line: string | undefined) => /^\|[-|]+\|$/.test(line ?? '')
  return below
    .filter((line, index) => isRow(line) && !isRule(line) && !isRule(below[index + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}
