/** Manifests through `landfall migrate manifests`, by its own standard input and output. */
import { spawnSync } from 'node:child_process'
import { parseAllDocuments, stringify } from 'yaml'
import type { Manifest } from '../lab/index.ts'

export interface Migrated {
  readonly text: string
  readonly objects: readonly Manifest[]
  /** What it did, a line each. */
  readonly notes: readonly string[]
}

/** @param program the command line of landfall @throws what it says, when it ends with another code than 0 */
export function migrated(program: readonly string[], manifests: readonly Manifest[]): Migrated {
  const [command = '', ...rest] = program
  const args = [...rest, 'migrate', 'manifests', '-']
  const input = manifests.map((one) => `---\n${stringify(one)}`).join('')
  const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const documents = parseAllDocuments(stdout).map((one): Manifest | null => one.toJS())
  return {
    text: stdout,
    objects: documents.filter((one) => one !== null),
    notes: stdout.split('\n').filter((line) => line.startsWith('# ')),
  }
}
