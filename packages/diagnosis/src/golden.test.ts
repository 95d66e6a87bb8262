/**
 * Golden files: `testdata/NAME.yaml` is a cluster, `NAME.golden.txt` what `landfall status` and `landfall trace` say of it.
 * With UPDATE_GOLDEN=1 they are written anew and those without input removed.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { statusOf } from './status/status.ts'
import { folder, readCase } from './testing.ts'
import { plain } from './text/paint.ts'
import { statusText } from './text/status-text.ts'
import { traceText } from './text/trace-text.ts'
import { concluded, traceObjects } from './trace/trace.ts'

const update = process.env['UPDATE_GOLDEN'] === '1'
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml') && file !== 'base.yaml')
  .map((file) => file.slice(0, -'.yaml'.length))

test.each(names)('%s', (name) => {
  const { view, target, standings } = readCase(name)
  const trace = concluded(target.url, traceObjects(view, target, standings).steps)
  const status = statusOf(view)
  const shown = [
    `$ landfall status   # ${status.ok ? 0 : 1}`,
    statusText(status, plain),
    `$ landfall trace ${target.url}   # ${trace.ok ? 0 : 1}`,
    traceText(trace, plain),
  ].join('\n')
  const file = new URL(`${name}.golden.txt`, folder)
  if (update) writeFileSync(file, shown)
  expect(shown).toBe(readFileSync(file, 'utf8'))
})

test.each(names)('every remedy for %s names a command', (name) => {
  const lines = readFileSync(new URL(`${name}.golden.txt`, folder), 'utf8').split('\n')
  const remedies = lines.filter((line) => /^ *→ /.test(line))
  expect(remedies.filter((line) => !/\b(kubectl|nc|landfall|curl) /.test(line))).toEqual([])
})

test('every golden file has its input', () => {
  const orphans = readdirSync(folder).filter(
    (file) => file.endsWith('.golden.txt') && !names.includes(file.slice(0, -'.golden.txt'.length)),
  )
  if (update) for (const file of orphans) rmSync(new URL(file, folder))
  expect(readdirSync(folder).filter((file) => orphans.includes(file))).toEqual([])
})
