/**
 * The README's tables: every reason that translation gives has a case, and the cases show what they are said to.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const here = new URL('./', import.meta.url)
const dag = new URL('../dag/', import.meta.url)
const readme = readFileSync(new URL('README.md', here), 'utf8')
const reasons = readme.slice(readme.indexOf('## Reasons'))
const rows = [...reasons.matchAll(/^\| (\w+) \| (\w+) \| (.+) \|$/gm)]
  .map(([, type = '', reason = '', given = '']) => ({ type, reason, given }))
  .filter(({ type }) => type !== 'Type')
const cases = rows.filter(({ given }) => !/^(never|later): /.test(given))

function golden(name: string): string {
  return readFileSync(new URL(`testdata/${name}.golden.yaml`, here), 'utf8')
}

test.each(cases)('$type/$reason stands in $given', ({ type, reason, given }) => {
  const orphaned = type === 'Orphaned'
  const shown = orphaned ? /currentStatus: orphaned/ : new RegExp(`type: ${type}\\n\\s+reason: ${reason}\\n`)
  expect(golden(given)).toMatch(shown)
})

test('every reason of a golden file is in the table', () => {
  const known = new Set(rows.map(({ type, reason }) => `${type}/${reason}`))
  const names = readdirSync(new URL('testdata/', here)).flatMap(
    (file) => /^(.*)\.golden\.yaml$/.exec(file)?.[1] ?? [],
  )
  const said = names.flatMap((name) =>
    [...golden(name).matchAll(/type: (\w+)\n\s+reason: (\w+)\n/g)].map(
      ([, type, reason]) => `${type}/${reason}`,
    ),
  )
  expect(said.length).toBeGreaterThan(cases.length)
  expect([...new Set(said)].filter((one) => !known.has(one))).toEqual([])
})

test('every reason that the code can give has a case', () => {
  const files = readdirSync(dag, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  )
  const covered = new Set(cases.map(({ reason }) => reason))
  const given = files.flatMap((file) => {
    const text = readFileSync(new URL(file, dag), 'utf8')
    const calls = text.matchAll(/\b(?:error|warning|refuse|none)\(\s*(?:\w+,\s*|'\w+',\s*)?'([A-Z]\w+)'/g)
    const pairs = text.matchAll(/\['(?:[A-Z]\w+Error)', '([A-Z]\w+)'\]/g)
    return [...calls, ...pairs].map(([, reason = '']) => reason)
  })
  expect(given.length).toBeGreaterThan(40)
  const missing = given.filter((reason) => !reason.endsWith('Error') && !covered.has(reason))
  expect([...new Set(missing)]).toEqual([])
})

test('the files that the first table names are there', () => {
  const table = readme.slice(readme.indexOf('## What an object'), readme.indexOf('## Reasons'))
  const lines = [...table.matchAll(/^\| (.+) \| (.+) \| ([-\w, ]+) \|$/gm)].slice(1)
  expect(lines.length).toBeGreaterThan(10)
  for (const [, , goldens = '', tests = ''] of lines) {
    for (const name of goldens.split(', ')) expect(golden(name)).not.toBe('')
    for (const name of tests.split(', '))
      expect(readFileSync(new URL(`${name}.test.ts`, here), 'utf8')).not.toBe('')
  }
})
