import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSourceLines } from './source-lines.ts'

const program = `import { createLogger } from ${JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)))}
interface Unused { readonly a: number }

const logger = createLogger()
export function first(): void {
  logger.info('one')
}
first()
  ; logger.warn('two')
`

describe('source maps', () => {
  let folder = ''
  const bundle = () => join(folder, 'bundle.mjs')

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'source-lines-'))
    writeFileSync(join(folder, 'program.ts'), program)
    await build({
      entryPoints: [join(folder, 'program.ts')],
      outfile: bundle(),
      bundle: true,
      format: 'esm',
      platform: 'node',
      sourcemap: 'linked',
      sourcesContent: false,
      minifySyntax: true,
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); const __filename = import.meta.filename, __dirname = import.meta.dirname",
      },
    })
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('name the original line of a log call in a bundle', () => {
    const { stdout, stderr } = spawnSync(process.execPath, [bundle()], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const callers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).caller)
    const name = folder.split('/').at(-1)
    expect(callers.map((caller) => caller.replace(`${name}/`, ''))).toEqual(['program.ts:6', 'program.ts:9'])
  })

  it('agree with Node on every place of the bundle', async () => {
    const { readFileSync } = await import('node:fs')
    const payload = JSON.parse(readFileSync(`${bundle()}.map`, 'utf8'))
    const reference = new SourceMap(payload)
    const ours = loadSourceLines(`${bundle()}.map`)
    const lines = readFileSync(bundle(), 'utf8').split('\n')
    let compared = 0
    for (const [index, text] of lines.entries()) {
      for (let column = 1; column <= text.length; column += 7) {
        const entry = reference.findEntry(index, column - 1)
        if (!('originalSource' in entry) || entry.generatedLine !== index) continue
        const at = ours?.find(index + 1, column)
        expect(at).toEqual({ source: entry.originalSource, line: entry.originalLine + 1 })
        compared++
      }
    }
    expect(compared).toBeGreaterThan(1000)
  })

  it('are done without where there are none, or garbage', () => {
    expect(loadSourceLines(join(folder, 'none.map'))).toBeUndefined()
    writeFileSync(join(folder, 'bad.map'), '{"sources":[1,')
    expect(loadSourceLines(join(folder, 'bad.map'))).toBeUndefined()
  })
})
