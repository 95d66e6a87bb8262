import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadFile } from './load.ts'

test('a file with problems is refused, with all of them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-configuration-'))
  const path = join(directory, 'contour.yaml')
  writeFileSync(path, 'a: 1\ntls: 2\n')
  await expect(loadFile(path)).rejects.toThrow(
    `${path} cannot be used:\n  a: is no key that is known\n  tls: must be a map`,
  )
  rmSync(directory, { recursive: true })
})
