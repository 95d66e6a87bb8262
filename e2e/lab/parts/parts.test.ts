import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bundleDirectory, fillBundle, versionText } from './cache.ts'
import { type BinarySpec, catalogue, environmentVariable } from './catalogue.ts'
import { fetchRelease, findChecksum, releaseFiles } from './release.ts'
import { locate, PartsError } from './resolve.ts'

let directory = ''
const etcd: BinarySpec = {
  kind: 'binary',
  name: 'etcd',
  bundle: 'etcd',
  versionArguments: ['--version'],
  accepted: /Version: 3\.6\./,
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-parts-'))
  vi.stubEnv('XDG_CACHE_HOME', directory)
  vi.stubEnv('PATH', join(directory, 'bin'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

function program(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\necho called >> ${directory}/calls\necho '${text}'\n`)
  chmodSync(path, 0o755)
  return path
}

async function cacheEtcd(text: string): Promise<void> {
  await fillBundle(
    'etcd',
    async (fresh) => void program(join(fresh, 'etcd'), text),
    async () => false,
  )
}

test('the cache gives a part of the right version, and the program is asked once', async () => {
  await cacheEtcd('etcd Version: 3.6.15')
  const path = join(bundleDirectory('etcd'), 'etcd')
  expect(await locate(etcd)).toBe(path)
  expect(await locate(etcd)).toBe(path)
  expect(readFileSync(join(directory, 'calls'), 'utf8')).toBe('called\n')
})

test('a part of another version is passed over', async () => {
  await cacheEtcd('etcd Version: 3.4.0')
  expect(await locate(etcd)).toBeUndefined()
})

test('a path in the environment goes before the cache, and must work', async () => {
  await cacheEtcd('etcd Version: 3.6.15')
  vi.stubEnv('LANDFALL_ETCD', program(join(directory, 'mine'), 'etcd Version: 9'))
  expect(await locate(etcd)).toBe(join(directory, 'mine'))
  vi.stubEnv('LANDFALL_ETCD', '/no/such/etcd')
  await expect(locate(etcd)).rejects.toThrow('LANDFALL_ETCD is /no/such/etcd')
})

test('an interrupted making leaves nothing that is taken for the part', async () => {
  const half = fillBundle(
    'etcd',
    async (fresh) => {
      program(join(fresh, 'etcd'), 'etcd Version: 3.6.15')
      throw new Error('cut off')
    },
    async () => false,
  )
  await expect(half).rejects.toThrow('cut off')
  expect(await locate(etcd)).toBeUndefined()
  await cacheEtcd('etcd Version: 3.6.15')
  expect(await locate(etcd)).toBeDefined()
})

test('two makers at once make it once', async () => {
  let made = 0
  const make = async (fresh: string): Promise<void> => {
    made++
    program(join(fresh, 'etcd'), 'etcd Version: 3.6.15')
  }
  const isThere = async (): Promise<boolean> => (await locate(etcd)) !== undefined
  await Promise.all([fillBundle('etcd', make, isThere), fillBundle('etcd', make, isThere)])
  expect(made).toBe(1)
})

test('a program changed in place is asked again', async () => {
  const path = program(join(directory, 'tool'), 'one')
  expect(await versionText(path, [])).toBe('one')
  program(path, 'another')
  expect(await versionText(path, [])).toBe('another')
})

test('a part that cannot be had is named with the ways to give it', () => {
  const error = new PartsError([{ spec: etcd, tried: ['its official release: no answer within 3 s'] }])
  expect(error.message).toBe(
    `The lab needs etcd and cannot get it. Give its path in LANDFALL_ETCD, or put one of version 3.6.15 on the PATH or into ${bundleDirectory('etcd')}.\n` +
      '  tried its official release: no answer within 3 s',
  )
})

test('every part has a variable of its own', () => {
  const variables = catalogue.map((p) => environmentVariable(p.name))
  expect(new Set(variables).size).toBe(catalogue.length)
  expect(variables).toContain('LANDFALL_KUBE_APISERVER')
})

test("checksum files: bare digests, lists, and somebody else's line", () => {
  const digest = 'a'.repeat(64)
  expect(findChecksum(`${digest}\n`, 'https://x/tool')).toBe(digest)
  expect(findChecksum(`${'b'.repeat(64)}  tool2\n${digest} *tool\n`, 'https://x/tool')).toBe(digest)
  expect(findChecksum(`${digest}  tool2\n`, 'https://x/tool')).toBeUndefined()
})

test('a release names one file for each program and machine', () => {
  expect(releaseFiles('kubernetes', 'arm64').map((f) => f.program)).toHaveLength(5)
  expect(releaseFiles('kubernetes', 'arm64').every((f) => f.url.includes('/arm64/'))).toBe(true)
  expect(releaseFiles('etcd', 'x64')[0]?.member).toBe('etcd-v3.6.15-linux-amd64/etcd')
})

async function serve(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, answer) => {
    const text = files[request.url ?? '']
    answer.writeHead(text === undefined ? 404 : 200).end(text ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}`, server }
}

test('a downloaded file is kept only when its checksum is right', async () => {
  const right = createHash('sha256').update('content').digest('hex')
  const { url, server } = await serve({
    '/a': 'content',
    '/a.sha256': right,
    '/b': 'content',
    '/b.sha256': 'c'.repeat(64),
  })
  try {
    const file = (name: string) => ({
      url: `${url}/${name}`,
      checksums: `${url}/${name}.sha256`,
      program: name,
    })
    await fetchRelease(file('a'), directory, () => {})
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('content')
    await expect(fetchRelease(file('b'), directory, () => {})).rejects.toThrow(`has SHA-256 ${right}`)
    expect(existsSync(join(directory, 'b'))).toBe(false)
    await expect(fetchRelease(file('c'), directory, () => {})).rejects.toThrow('c.sha256: answered 404')
  } finally {
    server.close()
  }
})
