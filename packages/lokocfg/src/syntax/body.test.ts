/** The places that are found in a file, against what HashiCorp's parser makes of the same text. */
import library from '@cdktf/hcl2json'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Body, type ExpressionText, scanBody } from './body.ts'
import { parseHcl } from './hcl.ts'

const texts: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['comments alone', '# a\n// b\n/* c\n{ */\n'],
  ['an empty block', 'component "contour" {}'],
  ['a block without quotes', 'component contour {\n}\n'],
  ['a block on one line', 'variable "x" { default = "a" }\nvariable "y" {}\n'],
  ['blocks in blocks, repeated', 'a "b" {\n t { k = 1 }\n t {\n  k = 2\n }\n}\n'],
  [
    'comments wherever they may be',
    'a "b" { # one\n x = 1 # two }\n /* three */ y = [1, /* 4 */ 2]\n z = 3 // }\n}',
  ],
  [
    'strings with brackets and quotes',
    'a = "}"\nb = "\\"{"\nc = "${"}"}"\nd = "$${"\ne = "x${{ a = "}" }.a}y"\n',
  ],
  ['maps and lists over lines', 'a = {\n  b = [\n   1, # }\n   2,\n  ]\n  "c d" = "e"\n}\nf = (\n 1\n)\n'],
  ['a heredoc', 'a = <<EOT\n} b = {\nEOT\nc = 1\n'],
  ['an indented heredoc in a list', 'a = [<<-X\n  }\n  X\n  , 2]\nc = 1'],
  ['tabs and line ends of Windows', 'component "m" {\r\n\ts = true\r\n}\r\n'],
  ['names with dashes and letters of all kinds', 'a-b "c" {\n é_1 = "ü"\n}\n'],
  ['operators that look like others', 'a = 1 == 2\nb = x != y\nc = a / b\n'],
]

/** Names and how often, as the library has them. */
function outline(body: Body<ExpressionText>): object {
  const entries: [string, unknown][] = body.attributes.map(({ name }) => [name, 'attribute'])
  for (const [type, blocks] of Map.groupBy(body.blocks, (block) => block.type)) {
    const byLabel = Map.groupBy(blocks, ({ labels }) => labels.join(' '))
    const labelled = [...byLabel].map(([label, same]) => [label, same.map((one) => outline(one.body))])
    entries.push([
      type,
      byLabel.has('') ? byLabel.get('')?.map((one) => outline(one.body)) : Object.fromEntries(labelled),
    ])
  }
  return Object.fromEntries(entries)
}

/** The same of the library's answer, where values are no blocks. */
function outlineOf(parsed: unknown, like: unknown): unknown {
  if (like === 'attribute' || typeof parsed !== 'object' || parsed === null) return 'attribute'
  if (Array.isArray(parsed)) {
    const likes = Array.isArray(like) ? like : []
    return parsed.map((one, index) => outlineOf(one, likes[index]))
  }
  const likes = new Map(Object.entries(typeof like === 'object' && like !== null ? like : {}))
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [name, outlineOf(value, likes.get(name))]),
  )
}

test.each(texts)('%s', async (_, text) => {
  const scanned = outline(scanBody(text))
  expect(outlineOf(await library.parse('x', text), scanned)).toEqual(scanned)
})

test('an expression is its text, up to the comment behind it', () => {
  const { attributes } = scanBody('a = [1, # {\n 2] # b\nb = "#" /* c */\nc = { d = "}" } // e')
  expect(attributes.map(({ expression }) => expression.text.trim())).toEqual([
    '[1, # {\n 2]',
    '"#" /* c */',
    '{ d = "}" }',
  ])
})

/** Expressions of all kinds, with brackets, quotes and comments in them. */
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      '1',
      '-2',
      'true',
      'null',
      'var.x["}"]',
      'f("{", 2)',
      '"}"',
      '"\\"{"',
      '"$${"',
      '"é #"',
      '"%{ if true }a%{ endif }"',
    ),
    tie('expression').map((one) => ['"a${', one, '}b"'].join('')),
    fc.array(tie('expression'), { maxLength: 3 }).map((items) => `[\n  ${items.join(', # ]\n  ')}\n]`),
    fc
      .array(tie('expression'), { maxLength: 3 })
      .map((items) => `{ // }\n${items.map((one, index) => `  k${index} = ${one} /* { */\n`).join('')}}`),
    tie('expression').map((one) => `(${one} == 1 /* ) */ ? 2 : 3)`),
    fc.constantFrom('\n} "', 'a = {').map((text) => `<<EOT\n${text}\nEOT\n`),
  ),
}))

/** Lines of a body: attributes, and blocks around attributes. */
const body = fc
  .array(
    fc.tuple(
      fc.constantFrom('attribute', 'block'),
      expression,
      fc.constantFrom('', ' # }', ' // {', ' /* = */'),
    ),
    {
      maxLength: 5,
    },
  )
  .map((lines) =>
    lines
      .map(([kind, value, comment], index) => {
        const tail = value.endsWith('\n') ? '' : `${comment}\n`
        const attribute = `a${index} = ${value}${tail}`
        return kind === 'attribute'
          ? attribute
          : `b${index} "l" {${comment.endsWith('*/') ? '' : comment}\n${attribute}}\n`
      })
      .join(''),
  )

test('whatever is in an expression, the attributes and blocks are those of the library', async () => {
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const scanned = outline(scanBody(text))
      expect(outlineOf(await library.parse('x', text), scanned)).toEqual(scanned)
      const parsed = await parseHcl({ file: 'x', text })
      expect(parsed.ok).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('no text keeps it from coming to an end', () => {
  const pieces = ['"', '${', '{', '}', '[', '=', 'a', '\n', '#', '/*', '<<E\n', ' ', '\\', 'b "c"']
  let seed = 1
  for (let round = 0; round < 2000; round++) {
    let text = ''
    for (let index = 0; index < 12; index++) {
      seed = (seed * 48271) % 2147483647
      text += pieces[seed % pieces.length]
    }
    expect(() => scanBody(text)).not.toThrow()
  }
})
