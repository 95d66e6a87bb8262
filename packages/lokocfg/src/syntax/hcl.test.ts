import { expect, test } from 'vitest'
import type { Expression } from './expression.ts'
import { parseHcl } from './hcl.ts'

async function expression(text: string): Promise<Expression | undefined> {
  const parsed = await parseHcl({ file: 'f', text: `a = ${text}\n` })
  return parsed.ok ? parsed.body.attributes[0]?.expression : undefined
}

test.each([
  ['"a"', ['a']],
  ['""', []],
  ['"a\\n\\t\\"\\\\ \\u00e9 \\U0001F600"', ['a\n\t"\\ é 😀']],
  ['"$${x} %%{y}"', ['${x} %{y}']],
  ['<<E\na\\n$${\nE', ['a\\n${\n']],
])('%s is that text', async (text, parts) => {
  const found = await expression(text)
  expect(found?.kind === 'template' ? found.parts.map(String).join('') : found).toEqual(parts.join(''))
})

test.each([
  ['true', true],
  ['null', null],
  ['1.5', 1.5],
  ['-3', -3],
])('%s is that value', async (text, value) => {
  expect(await expression(text)).toMatchObject({ kind: 'literal', value })
})

test.each([
  ['1 + 2', 'an operator'],
  ['a ? b : c', 'a condition'],
  ['[for x in y : x]', 'a for expression'],
  ['x[*].y', 'a splat'],
  ['<<-E\n  a\n  E', 'an indented heredoc (<<-)'],
  ['x(y...)', 'an expanded argument (...)'],
])('%s has a name to be refused by', async (text, what) => {
  expect(await expression(text)).toMatchObject({ kind: 'unsupported', what })
})

test('places are those of the file, behind letters of several bytes too', async () => {
  const text = '# é\nvariable "é" {\n  default = { "é" = ["ü", var.x] }\n}\n'
  const parsed = await parseHcl({ file: 'f', text })
  const map = parsed.ok ? parsed.body.blocks[0]?.body.attributes[0]?.expression : undefined
  const entry = map?.kind === 'map' ? map.entries[0] : undefined
  const items = entry?.value.kind === 'list' ? entry.value.items : []
  expect(entry?.at).toEqual({ file: 'f', line: 3, column: 15 })
  expect(items.map(({ at }) => at.column)).toEqual([22, 27])
})

test('every error of the parser has its place, and the name of the file', async () => {
  const parsed = await parseHcl({ file: 'my [file].lokocfg', text: 'a = \nb = 1\nb = 2\nc "d"\n' })
  const problems = parsed.ok ? [] : parsed.problems
  expect(problems.map(({ code, at }) => `${code} ${at?.file} ${at?.line}`)).toContain(
    'InvalidSyntax my [file].lokocfg 1',
  )
  expect(problems.map(({ message }) => message).join('\n')).not.toContain('@lokocfg@')
})

test('an attribute that is given twice names the file of the first', async () => {
  const parsed = await parseHcl({ file: 'x.lokocfg', text: 'b = 1\nb = 2\n' })
  const [problem] = parsed.ok ? [] : parsed.problems
  expect(problem).toEqual({
    code: 'InvalidSyntax',
    at: { file: 'x.lokocfg', line: 2, column: 1 },
    message:
      'Attribute redefined; The argument "b" was already set at x.lokocfg:1,1-2. Each argument may be set only once.',
  })
})
