import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeApiServer } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { follow, loadFile } from './load.ts'

test('a file with problems is refused, with all of them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-configuration-'))
  const path = join(directory, 'contour.yaml')
  writeFileSync(path, 'a: 1\ntls: 2\n')
  await expect(loadFile(path)).rejects.toThrow(
    `${path} cannot be used:\n  a: is no key that is known\n  tls: must be a map`,
  )
  rmSync(directory, { recursive: true })
})

test('a file that cannot be read is told once, and again what it says then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-configuration-'))
  const path = join(directory, 'contour.yaml')
  const server = new FakeApiServer()
  await server.listen()
  const cluster = server.cluster()
  const told: string[] = []
  const end = follow({ kind: 'file', path }, cluster, silentLogger(), ({ problems }) =>
    told.push(problems.map(({ message }) => message).join()),
  )
  const gone = expect.stringMatching(/^cannot be read: ENOENT/)
  await expect.poll(() => told).toEqual([gone])
  // By then the first has looked again.
  let looks = 0
  const endOther = follow({ kind: 'file', path: directory }, cluster, silentLogger(), () => looks++)
  await expect.poll(() => looks).toBe(1)
  writeFileSync(path, 'debug: true\n')
  await expect.poll(() => told).toEqual([gone, ''])
  rmSync(path)
  await expect.poll(() => told).toEqual([gone, '', gone])
  end()
  endOther()
  cluster.close()
  await server.close()
  rmSync(directory, { recursive: true })
})
