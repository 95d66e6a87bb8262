/**
 * The README's tables: every reason that translation gives has a case, and the cases show what they are said to.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { rowsBelow } from './readme.ts'

const here = new URL('./', import.meta.url)
const dag = new URL('../dag/', import.meta.url)
const rows = rowsBelow('Reasons').map(([type = '', reason = '', given = '']) => ({ type, reason, given }))
const cases = rows.filter(({ given }) => !/^(never|later): /.test(given))

function golden(name: string): string {
  return readFileSync(new URL(`testdata/${name}.golden.yaml`, here), 'utf8')
}

/** Of what no object is told a test says it. */
function shownIn({ type, reason, given }: (typeof rows)[number]): boolean {
  if (type === 'ReferenceError')
    return readFileSync(new URL(`${given}.test.ts`, here), 'utf8').includes(`${type}/${reason}`)
  if (type === 'Orphaned') return /currentStatus: orphaned/.test(golden(given))
  return new RegExp(`type: ${type}\\n\\s+reason: ${reason}\\n`).test(golden(given))
}

test.each(cases)('$type/$reason stands in $given', (one) => {
  expect(shownIn(one)).toBe(true)
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

/** What looks like a reason, and what stands before it: its type, or who is told of it. */
const literal = /('\w+Error',\s*|=== |\b\w+\(\s*)?'(?!\w*Error')([A-Z]\w*[a-z][A-Z]\w*)'/g
const noReason =
  /^(HTTPProxy|ExternalName|ExtensionService|SafeOnly|RoundRobin|WeightedLeastRequest|RingHash|RequestHash)$/
/** Where a reason that stands elsewhere gets its type. */
const meeting = /\berror\((?:'(\w+Error)'|type|owner), (?!')/g

/** Each type with each reason that a file can give it. */
function givenIn(text: string): readonly string[] {
  const types = text.replaceAll(/'\w+Error',\s*'/g, '').matchAll(/'(\w+Error)'/g)
  const named = [...types].map(([, type = '']) => type)
  const meetings = [...text.matchAll(meeting)]
  return [...text.matchAll(literal)].flatMap(({ 0: whole, 1: before = '', 2: reason = '', index }) => {
    if (noReason.test(reason) || before === '=== ') return []
    const [, beside] = /'(\w+Error)'/.exec(before) ?? []
    if (beside !== undefined) return [`${beside}/${reason}`]
    const [, own] = /\berror\((type|owner), $/.exec(text.slice(0, index + whole.indexOf("'"))) ?? []
    const functionEnd = text.indexOf('\n}', index)
    const below = meetings.find((one) => one.index > index && one.index < functionEnd)
    const above = meetings.findLast((one) => one.index < index)
    const nearest = (before.endsWith('(') ? above : (below ?? above)) ?? meetings[0]
    const one = own === undefined ? nearest?.[1] : undefined
    return one === undefined ? named.map((type) => `${type}/${reason}`) : [`${one}/${reason}`]
  })
}

test('every reason that the code can give has a case', () => {
  const files = readdirSync(dag, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  )
  const covered = new Set(cases.map(({ type, reason }) => `${type}/${reason}`))
  const given = files.flatMap((file) => givenIn(readFileSync(new URL(file, dag), 'utf8')))
  expect(new Set(given).size).toBeGreaterThan(80)
  expect([...new Set(given)].filter((one) => !covered.has(one))).toEqual([])
  expect([...covered].filter((one) => !given.includes(one))).toEqual(['Orphaned/Orphaned'])
})

test('the files that the first table names are there', () => {
  const lines = rowsBelow('What an object can ask for')
  expect(lines.length).toBeGreaterThan(10)
  for (const [, goldens = '', tests = ''] of lines) {
    for (const name of goldens.split(', ').filter(Boolean)) expect(golden(name)).not.toBe('')
    for (const name of tests.split(', '))
      expect(readFileSync(new URL(`${name}.test.ts`, here), 'utf8')).not.toBe('')
  }
})
