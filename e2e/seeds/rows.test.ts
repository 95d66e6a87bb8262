/** The table of README.md: every behaviour that a guide shows has a test that exists; two are run by hand. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')

/** How many rows each of the five guides has. */
const counts = [13, 17, 9, 11, 9]
const wanted = counts.flatMap((count, guide) =>
  Array.from({ length: count }, (_, index) => `${guide}.${index + 1}`),
)

/** What is only there on hardware, and in a cloud, that the lab is not. */
const byHand = ['0.13', '3.9']

interface Row {
  readonly id: string
  readonly cell: string
  readonly tests: readonly { readonly file: string; readonly title: string }[]
}

const rows = [...readme.matchAll(/^\| (\d\.\d+) \| [^\n]*? \| ([^\n]*) \|$/gm)].map(
  ([, id = '', cell = '']): Row => {
    let file = ''
    const tests = [...cell.matchAll(/`([^`]+\.test\.ts)`|"([^"]+)"/g)].flatMap(([, named, title]) => {
      if (named !== undefined) file = named
      return title === undefined ? [] : [{ file, title }]
    })
    return { id, cell, tests }
  },
)

test('every row is there once, in its order', () => {
  expect(rows.map(({ id }) => id)).toEqual(wanted)
})

test.each(rows.filter(({ id }) => !byHand.includes(id)))(
  '$id has a test, and no run by hand',
  ({ tests, cell }) => {
    expect(tests).not.toEqual([])
    expect(cell).not.toMatch(/\bmanual\b/)
  },
)

test.each(rows.filter(({ id }) => byHand.includes(id)))('$id says how it is run by hand', ({ cell }) => {
  expect(cell).toMatch(/(?:^|; )manual: .{20,}$/)
})

test.each(rows.flatMap(({ id, tests }) => tests.map((one) => ({ id, ...one }))))(
  '$id: $file has "$title"',
  ({ file, title }) => {
    const url = new URL(file, root)
    const text = existsSync(url) ? readFileSync(url, 'utf8') : ''
    const literal = title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    expect(text).toMatch(new RegExp(`\\(\\s*['"\`]${literal}`))
    expect(leftOut(text)).toEqual([])
  },
)

/** @returns calls by which tests of a file do not run; `skipIf` is of machines that cannot */
function leftOut(text: string): readonly string[] {
  return text.match(/\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|todo|only|fails)\b/g) ?? []
}

test.each([
  ["it.skip('0.1: a row', () => {})", ['it.skip']],
  ["describe.skip('all', () => {})", ['describe.skip']],
  ["test.concurrent.todo('0.1: a row')", ['test.concurrent.todo']],
  ["it.only('0.2: another row', () => {})", ['it.only']],
  ["describe.skipIf(windy())('all', () => {})", []],
  ["it.each([1])('0.1: %s', () => {})", []],
])('what does not run is no test: %s', (text, found) => {
  expect(leftOut(text)).toEqual(found)
})
