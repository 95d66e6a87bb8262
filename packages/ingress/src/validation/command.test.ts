/** `config validate` as it is called: what it prints, and what its exit code says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Finding } from './index.ts'

const program = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url))
let folder = ''

const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: echo}\nspec: {ports: [{port: 80}]}\n'
const proxy = (name: string, target = 'echo') => `apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: ${name}}
spec: {virtualhost: {fqdn: ${name}.test}, routes: [{services: [{name: ${target}, port: 80}]}]}
`
const files: Readonly<Record<string, string>> = {
  'good.yaml': `${service}---\n${proxy('shop')}---\n${proxy('news')}`,
  'bad.yaml': `${service}---\n${proxy('shop')}---\n${proxy('lost', 'gone')}`,
  'contour.yaml': 'tls: {minimum-protocol-version: "1.3"}\n',
  'wrong.yaml': 'timeouts: {request-timeout: soon}\n',
  'folder/a.yaml': service,
  'folder/deep/b.json': JSON.stringify({
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name: 'news' },
    spec: { virtualhost: { fqdn: 'news.test' }, routes: [{ services: [{ name: 'echo', port: 80 }] }] },
  }),
  'folder/deep/c.yml': proxy('shop'),
  'folder/notes.txt': 'no YAML: [',
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-validate-'))
  mkdirSync(join(folder, 'folder/deep'), { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(args: readonly string[], input = ''): Promise<Ran> {
  const flags = ['--disable-warning=ExperimentalWarning', program, 'config', 'validate']
  const child = spawn(process.execPath, [...flags, ...args], { cwd: folder })
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: Number(code), stdout, stderr }
}

test('a file of several documents that are good: a line for each, and exit code 0', async () => {
  expect(await run(['good.yaml'])).toEqual({
    code: 0,
    stdout: `KIND       NAME          STATUS  FILE
HTTPProxy  default/shop  valid   good.yaml
HTTPProxy  default/news  valid   good.yaml
`,
    stderr: '',
  })
})

test('one of them is not: its problems stand below it, and the exit code is 1', async () => {
  const { code, stdout, stderr } = await run(['bad.yaml', '--namespace', 'web'])
  expect([code, stderr]).toEqual([1, ''])
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'KIND       NAME      STATUS   FILE',
    'HTTPProxy  web/shop  valid    bad.yaml',
    'HTTPProxy  web/lost  invalid  bad.yaml',
  ])
  expect(stdout.split('\n')[3]).toMatch(/^ {2}error ServiceError\/ServiceUnresolvedReference: .*gone/)
})

test('a folder is all YAML and JSON below it, and -o json says the same for programs', async () => {
  const { code, stdout } = await run(['folder', '-o', 'json'])
  expect(code).toBe(0)
  const findings = JSON.parse(stdout) as readonly Finding[]
  expect(findings.map(({ file, kind, name, status }) => [file, kind, name, status])).toEqual([
    ['folder/deep/b.json', 'HTTPProxy', 'news', 'valid'],
    ['folder/deep/c.yml', 'HTTPProxy', 'shop', 'valid'],
  ])
})

test('standard input, with the configuration that holds for it', async () => {
  const { code, stdout } = await run(['-', '-c', 'contour.yaml'], files['good.yaml'])
  expect(code).toBe(0)
  expect(stdout).toBe(`KIND       NAME          STATUS  FILE
File       contour.yaml  valid   contour.yaml
HTTPProxy  default/shop  valid   -
HTTPProxy  default/news  valid   -
`)
})

test('a contour.yaml that is wrong is told by its path', async () => {
  const { code, stdout } = await run(['wrong.yaml'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/\n {2}error ConfigurationError\/InvalidSetting: timeouts\.request-timeout: /)
})

test('what is no YAML is told, and what is no file ends it, both with exit code 1', async () => {
  const broken = await run(['-'], 'kind: [')
  expect([broken.code, broken.stderr]).toEqual([1, ''])
  expect(broken.stdout).toMatch(/\nFile +- +invalid +-\n {2}error SyntaxError\/Unreadable: /)
  const missing = await run(['good.yaml', 'none.yaml'])
  expect([missing.code, missing.stdout]).toEqual([1, ''])
  expect(missing.stderr).toMatch(/none\.yaml/)
  expect(missing.stderr).not.toMatch(/\n +at /)
  expect((await run([])).stderr).toMatch(/missing required argument 'files'/)
})

test('classes and root namespaces are those of serve', async () => {
  const { code, stdout } = await run(['good.yaml', '--root-namespaces', 'roots'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/RootNamespaceError\/RootProxyNotAllowedInNamespace/)
  const other = await run(['good.yaml', '--ingress-class-name', 'internal'])
  expect(other.code).toBe(0)
  expect(other.stdout).toMatch(/HTTPProxy +default\/shop +ignored +good\.yaml/)
})
