import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isStale } from './programs.ts'

test('a build is stale when a source is newer, came, or went', () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-stale-'))
  try {
    const [source, product] = [join(directory, 'src'), join(directory, 'product')]
    const at = (path: string, seconds: number): void => utimesSync(path, seconds, seconds)
    mkdirSync(join(source, 'deep'), { recursive: true })
    writeFileSync(join(source, 'deep', 'a.ts'), '')
    for (const path of [join(source, 'deep', 'a.ts'), join(source, 'deep'), source]) at(path, 1000)
    expect(isStale(product, [source])).toBe(true)
    writeFileSync(product, '')
    at(product, 2000)
    expect(isStale(product, [source, join(directory, 'absent')])).toBe(false)
    at(join(source, 'deep', 'a.ts'), 3000)
    expect(isStale(product, [source])).toBe(true)
    rmSync(join(source, 'deep', 'a.ts'))
    expect(isStale(product, [source])).toBe(true)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
