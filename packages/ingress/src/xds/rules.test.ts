/** Each of the 54 rules has a test, or a line in `README.md` that says why not; and that page tells the truth. */
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const rules = Array.from({ length: 54 }, (_, index) => index + 1)
const sources = join(import.meta.dirname, '..')
const page = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')

function numbersOf(list: string | undefined): readonly number[] {
  return (list ?? '').split(', ').map(Number)
}

/** The numbers that a file's titles begin with. */
function shownBy(text: string): ReadonlySet<number> {
  const titles = text.matchAll(/^\s*test\(['"]rule (\d+(?:, \d+)*)(?:, defect \d+)?: /gm)
  return new Set([...titles].flatMap(([, list]) => numbersOf(list)))
}

function listed(section: string): readonly number[] {
  const [, text = ''] = page.split(`\n## ${section}\n`)
  const [lines = ''] = text.split('\n## ')
  return [...lines.matchAll(/^\* (\d+):/gm)].map(([, number]) => Number(number))
}

const tests = new Map<string, ReadonlySet<number>>()
for await (const name of glob('**/*.test.ts', { cwd: sources })) {
  tests.set(name, shownBy(readFileSync(join(sources, name), 'utf8')))
}
const shown = new Set([...tests.values()].flatMap((numbers) => [...numbers]))
const excused = listed('Do not apply')

test('each rule has a test whose title begins with its number, or a line that says why not', () => {
  expect(rules.filter((rule) => !shown.has(rule) && !excused.includes(rule))).toEqual([])
  expect(excused.filter((rule) => shown.has(rule))).toEqual([])
  expect([...shown, ...excused].filter((rule) => !rules.includes(rule))).toEqual([])
})

test('the table names the tests that there are, and all of them', () => {
  const rows = [...page.matchAll(/^\| (\d+(?:, \d+)*) \|.*\| (`.*`) \|$/gm)]
  const told = rows.flatMap(([, list, files = '']) =>
    [...files.matchAll(/`([^`]+)`/g)].flatMap(([, file]) => numbersOf(list).map((rule) => `${rule} ${file}`)),
  )
  const there = [...tests].flatMap(([file, numbers]) => [...numbers].map((rule) => `${rule} ${file}`))
  expect(told.toSorted()).toEqual(there.toSorted())
})
