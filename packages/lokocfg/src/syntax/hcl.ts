/**
 * The rim to the HCL library, which runs HashiCorp's own parser: a file's text → its body with expressions as trees, or
 * what is wrong with it and where. Loaded when the first file is read.
 */
import type { Problem } from '../problem.ts'
import { type Body, mapExpressions, scanBody } from './body.ts'
import { type Expression, readTree } from './expression.ts'
import { placeAt, type Source } from './source.ts'

export type Parsed =
  | { readonly ok: true; readonly body: Body<Expression> }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Stands for the file's name in what the library says, so that it is found again whatever the name is. */
const fileMark = '@lokocfg@'

/** What the library says of 1.2.3 and of 50g. */
const mayBeText = /^(?:Invalid number literal|Missing attribute separator)/
const quoteIt = ' A text must be quoted.'

export async function parseHcl(source: Source): Promise<Parsed> {
  const { default: library } = await import('@cdktf/hcl2json')
  const text = source.text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  const clean: Source = { ...source, text }
  try {
    await library.parse(fileMark, text)
  } catch (error) {
    return {
      ok: false,
      problems: problemsIn(error instanceof Error ? error.message : String(error), source.file),
    }
  }
  const body = await mapExpressions(scanBody(text), async (expression) => {
    const json = JSON.stringify(await library.getExpressionAst(fileMark, `${expression.text}\n`))
    return readTree(json, clean, expression.text, expression.index)
  })
  return { ok: true, body }
}

/** `parse config: [FILE:2,7-3,1: What; Why. FILE:…]` */
function problemsIn(message: string, file: string): readonly Problem[] {
  const parts = message.split(new RegExp(`(?:^|[[ ])${fileMark}:(?=\\d+,\\d+-[\\d,]+: )`)).slice(1)
  const problems = parts.flatMap((part): Problem[] => {
    const [, line, column, text = ''] = /^(\d+),(\d+)-[\d,]+: ([^]*)$/.exec(part) ?? []
    const at = { file, line: Number(line), column: Number(column) }
    const told = text.replace(/\]?$/, '').replaceAll(fileMark, file).trim()
    return [{ code: 'InvalidSyntax', at, message: `${told}${mayBeText.test(text) ? quoteIt : ''}` }]
  })
  if (problems.length > 0) return problems
  return [
    {
      code: 'InvalidSyntax',
      at: placeAt({ file, text: '' }, 0),
      message: message.replaceAll(fileMark, file),
    },
  ]
}
