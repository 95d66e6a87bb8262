/**
 * Reads the workspace for the rules: its packages, its TypeScript projects, and each tracked or new TypeScript file outside
 * generated code.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Package, Project } from './rules.ts'
import { parseSource, type Source } from './source.ts'

export function readPackages(root: string): readonly Package[] {
  const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
  return folders
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => {
      const manifest: { name: string; exports?: Record<string, string> } = JSON.parse(
        readFileSync(join(root, folder, 'package.json'), 'utf8'),
      )
      return { name: manifest.name, folder, exports: manifest.exports ?? {} }
    })
}

/** The projects that `tsc -b` builds: those that the root's tsconfig.json references. */
export function readProjects(root: string): readonly Project[] {
  const references = (folder: string): string[] => {
    const config: { references?: { path: string }[] } = JSON.parse(
      readFileSync(join(root, folder, 'tsconfig.json'), 'utf8'),
    )
    return (config.references ?? []).map(({ path }) => posix.join(folder, path))
  }
  return references('.').map((folder) => ({ folder, references: references(folder) }))
}

export function readSources(root: string): readonly Source[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)))
    .map((file) => parseSource(file, readFileSync(join(root, file), 'utf8')))
}
