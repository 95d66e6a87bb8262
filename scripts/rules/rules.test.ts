import { describe, expect, it } from 'vitest'
import { findBreaches, type Package, type Project } from './rules.ts'
import { parseSource } from './source.ts'

const packages: readonly Package[] = [
  { name: '@landfall/netip', folder: 'packages/netip', exports: { '.': './src/index.ts' } },
  { name: '@landfall/net', folder: 'packages/net', exports: { '.': './src/index.ts' } },
  { name: '@landfall/speaker', folder: 'packages/speaker', exports: { '.': './src/index.ts' } },
]

function breaches(
  files: Readonly<Record<string, string>>,
  projects: readonly Project[] = [],
): readonly string[] {
  const sources = Object.entries(files).map(([file, text]) => parseSource(file, text))
  return findBreaches(sources, packages, projects).map(
    (breach) => `${breach.rule} ${breach.where}: ${breach.what}`,
  )
}

describe('rules', () => {
  it('let honest code pass', () => {
    const text = `import { createHash } from 'node:crypto'\nexport const process = { console: 1 }.console + Number(createHash)`
    expect(breaches({ 'packages/netip/src/ip.ts': text.replace('const process', 'const answer') })).toEqual(
      [],
    )
  })

  it.each([
    ['Date.now()', 'Date.now'],
    ['new Date()', 'new Date()'],
    ['Math.random()', 'Math.random'],
    ['process.env', 'process'],
    ['console.log(1)', 'console'],
    ['setTimeout(() => {}, 1)', 'setTimeout'],
  ])('keep %s out of pure code', (text, what) => {
    expect(breaches({ 'packages/netip/src/ip.ts': `export const x = ${text}` })).toEqual([
      `purity packages/netip/src/ip.ts:1: pure code uses ${what}`,
    ])
    expect(breaches({ 'packages/net/src/socket.ts': `export const x = ${text}` })).toEqual([])
  })

  it.each([
    [`import { readFileSync } from 'node:fs'`, 'pure code imports node:fs'],
    [`import { randomBytes } from 'node:crypto'`, 'pure code imports node:crypto'],
    [`import undici from 'undici'`, 'pure code imports undici, which is not on the list of pure libraries'],
    [
      `import { open } from '@landfall/net'`,
      'pure code imports packages/net/src/index.ts, which is not pure',
    ],
    [`export * from '@landfall/net'`, 'pure code imports packages/net/src/index.ts, which is not pure'],
  ])('keep %s out of pure code', (text, what) => {
    expect(breaches({ 'packages/netip/src/ip.ts': text })).toEqual([
      `purity packages/netip/src/ip.ts:1: ${what}`,
    ])
  })

  it('let a test beside pure code do as it likes', () => {
    expect(breaches({ 'packages/netip/src/ip.test.ts': `import 'node:fs'` })).toEqual([])
  })

  it('keep the products apart', () => {
    expect(breaches({ 'packages/lb/src/a.ts': `import type { X } from '@landfall/speaker'` })).toEqual([
      'products packages/lb/src/a.ts:1: a product imports another: packages/speaker/src/index.ts',
    ])
  })

  it('find a cycle of files', () => {
    const files = {
      'packages/net/src/a.ts': `import './b.ts'`,
      'packages/net/src/b.ts': `import './c.ts'`,
      'packages/net/src/c.ts': `import './a.ts'`,
    }
    expect(breaches(files)).toEqual([
      'cycle packages/net/src/a.ts: packages/net/src/a.ts → packages/net/src/b.ts → packages/net/src/c.ts → packages/net/src/a.ts',
    ])
  })

  it('find a cycle of folders whose files make none', () => {
    const files = {
      'packages/net/src/one/a.ts': `import '../two/b.ts'`,
      'packages/net/src/two/b.ts': '',
      'packages/net/src/two/c.ts': `import '../one/d.ts'`,
      'packages/net/src/one/d.ts': '',
    }
    expect(breaches(files)).toEqual([
      'cycle packages/net/src/one: packages/net/src/one → packages/net/src/two → packages/net/src/one',
    ])
  })

  it('bound the length of a file', () => {
    expect(breaches({ 'e2e/long.ts': '\n'.repeat(401) })).toEqual([
      'length e2e/long.ts: 401 lines, more than 400',
    ])
  })

  it('name an import that is no export', () => {
    expect(breaches({ 'packages/lb/src/a.ts': `import '@landfall/netip/inner'` })).toEqual([
      'import packages/lb/src/a.ts:1: "@landfall/netip/inner" is no export',
    ])
  })

  it('name a package that a project imports and does not reference', () => {
    const files = {
      'e2e/a.ts': `import '@landfall/netip'`,
      'e2e/b.ts': `import '@landfall/net'`,
      'packages/net/src/index.ts': '',
    }
    const projects = [
      { folder: 'packages/net', references: [] },
      { folder: 'packages/netip', references: [] },
      { folder: 'e2e', references: ['packages/net'] },
    ]
    expect(breaches(files, projects)).toEqual([
      'reference e2e/a.ts:1: e2e/tsconfig.json has no reference to packages/netip',
    ])
  })
})
