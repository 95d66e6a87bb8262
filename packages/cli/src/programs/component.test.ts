/** What `component render-manifest` prints, and where; and that contour takes the settings among it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { validateFiles } from '@landfall/ingress/validation'
import { readLokocfg, renderComponents } from '@landfall/lokocfg'
import { afterAll, beforeAll, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-render-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('warnings are beside what is printed; a registry comes before the names of images', {
  timeout: 60_000,
}, () => {
  writeFileSync(join(folder, 'a.lokocfg'), 'component "contour" {\n  install_mode = "deployment"\n}\n')
  const args = ['component', 'render-manifest', '--image-registry=registry.example.com']
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, ...args],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 },
  )
  expect(status).toBe(0)
  expect(stderr).toMatch(
    /^warning: a\.lokocfg:2:18: component "contour": install_mode has no effect: .*; leave it out\n$/,
  )
  expect(stdout).toMatch(/^# manifests for component contour\n/)
  expect(stdout).toMatch(/^ +image: registry\.example\.com\/landfall\/contour:\d/m)
  expect(stdout).not.toMatch(/image: landfall/)
})

test('contour takes the settings that its component has for it', async () => {
  const lokocfg = await readLokocfg({ lokocfg: folder })
  const rendered = renderComponents(lokocfg, ['contour'], { version: '1.2.3' })
  const [component] = rendered.ok ? rendered.components : []
  const { data = {} } = { ...component?.objects.find(({ kind }) => kind === 'ConfigMap') }
  const [[name, text] = []] = Object.entries(data ?? {})
  expect(name).toBe('contour.yaml')
  const [configPath, nothing] = [join(folder, 'contour.yaml'), join(folder, 'nothing.yaml')]
  writeFileSync(nothing, '')
  const validate = () => validateFiles({ paths: [nothing], namespace: 'default', configPath, flags: {} })
  writeFileSync(configPath, String(text))
  expect(await validate()).toMatchObject([{ status: 'valid', problems: [] }])
  writeFileSync(configPath, `${String(text)}nothingSuch: 1\n`)
  expect(JSON.stringify(await validate())).toContain('nothingSuch')
})
