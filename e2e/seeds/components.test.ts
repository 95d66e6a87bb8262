/**
 * The guides' commands of Lokomotive, letter by letter, each in its guide's folder as the commands above it left it. They print
 * here what they would install.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readTranscript } from './transcript.ts'

const program = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'entry', 'lokoctl.ts')
const isOfFiles = /^(lokoctl|cp|sed) /
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-components-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** @returns what each command of lokoctl says, by its line */
function follow(guide: string): readonly (readonly [line: string, said: string])[] {
  const [inside, bin] = [join(folder, 'guide'), join(folder, 'lokoctl')]
  cpSync(join(import.meta.dirname, guide), inside, { recursive: true })
  const node = `${process.execPath} --disable-warning=ExperimentalWarning`
  writeFileSync(bin, `#!/bin/sh\nshift 2\nexec ${node} ${program} component render-manifest "$@"\n`)
  chmodSync(bin, 0o755)
  const env = { PATH: `${folder}:${process.env['PATH']}` }
  const lines = readTranscript(readFileSync(join(inside, 'guide.txt'), 'utf8')).map(({ line }) => line)
  return lines
    .filter((line) => isOfFiles.test(line))
    .flatMap((line) => {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: inside, env, encoding: 'utf8' })
      expect([line, status, stderr]).toEqual([line, 0, ''])
      return line.startsWith('lokoctl') ? [[line, stdout] as const] : []
    })
}

test('the guide for both installs both by its one command', { timeout: 60_000 }, () => {
  const [[line, said] = [], ...others] = follow('000-lokomotive')
  expect([line, others]).toEqual(['lokoctl component install', []])
  expect(said?.match(/^# manifests for component .*$/gm)).toHaveLength(2)
})

test('the guide of the component installs it by its one command, whatever stands in the file', {
  timeout: 60_000,
}, () => {
  const ran = follow('001-metallb-component')
  expect(ran.map(([line]) => line)).toEqual(Array(4).fill('lokoctl component install metallb'))
  const [plain, selected, tolerant, monitored] = ran.map(([, said]) => said)
  expect(plain).not.toMatch(/ingress_node|speaker_key1|ServiceMonitor/)
  expect(selected).toContain('ingress_node: "true"')
  expect(tolerant).toMatch(/speaker_key1[^]*speaker_key2/)
  expect(tolerant).toMatch(/controller_key1[^]*controller_key2/)
  expect(tolerant).not.toContain('ingress_node')
  expect(monitored).toMatch(/^kind: "?ServiceMonitor/m)
})
