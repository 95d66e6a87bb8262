import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveMountPath } from './mount-path.ts'

let base: string
beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mount-path-')))
  mkdirSync(join(base, 'run'))
  symlinkSync(join(base, 'run'), join(base, 'link'))
})
afterAll(() => rmSync(base, { recursive: true }))

test('an absolute link on the way is followed, also when the rest is not there', () => {
  expect(resolveMountPath(join(base, 'link/secrets/deep'))).toBe(join(base, 'run/secrets/deep'))
  expect(resolveMountPath(join(base, 'link'))).toBe(join(base, 'run'))
})

test('slashes and dots are tidied', () => {
  expect(resolveMountPath('/no-such//place/./x/')).toBe('/no-such/place/x')
  expect(resolveMountPath('/')).toBe('/')
})
