/** `docs/troubleshooting.md` names only codes that exist. */
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)

test('every code of the guide is one that some program says', () => {
  const guide = readFileSync(new URL('docs/troubleshooting.md', root), 'utf8')
  const cells = guide.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? [])
  const codes = new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, code = '']) => code)))
  const sources = globSync('packages/{diagnosis,ingress,lb,metallb,speaker}/src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(new URL(file, root), 'utf8'))
    .join('\n')
  expect(codes.size).toBeGreaterThan(40)
  // Of the system: Node's own, and HTTP statuses.
  const foreign = /^(E[A-Z]{4,}|HTTP\d+)$/
  expect(
    [...codes].filter((code) => !foreign.test(code) && !new RegExp(`\\b${code}\\b`).test(sources)),
  ).toEqual([])
})
