// Writes a volume's files so that a reader sees all of one version or all of the next: they stand in
// a directory of their own, `..data` points at it and is swapped by rename, and each top-level name
// is a link through `..data`. Kubernetes' pkg/volume/util/atomic_writer.go.
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { VolumeFile } from './payload.ts'

export interface Ownership {
  /** Of files with no access for the group (tokens). */
  readonly privateUser: number | undefined
  readonly group: number | undefined
}

let serial = 0

export function writeVolume(directory: string, files: readonly VolumeFile[], ownership: Ownership): void {
  mkdirSync(directory, { recursive: true })
  own(directory, ownership, 0o755)
  serial += 1
  const version = `..${new Date().toISOString().replace(/[:.]/g, '_')}.${serial}`
  mkdirSync(join(directory, version))
  own(join(directory, version), ownership, 0o755)
  for (const file of files) writeFile(join(directory, version), file, ownership)
  const link = join(directory, '..data')
  const before = existsSync(link) ? readlinkSync(link) : undefined
  symlinkSync(version, join(directory, '..data_tmp'))
  renameSync(join(directory, '..data_tmp'), link)
  linkTopLevel(directory, new Set(files.map((file) => file.path.split('/')[0] ?? '')))
  if (before !== undefined) rmSync(join(directory, before), { recursive: true, force: true })
}

function writeFile(directory: string, file: VolumeFile, ownership: Ownership): void {
  const path = join(directory, file.path)
  let made = ''
  for (const part of file.path.split('/').slice(0, -1)) {
    made = join(made, part)
    if (existsSync(join(directory, made))) continue
    mkdirSync(join(directory, made))
    own(join(directory, made), ownership, 0o755)
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, file.content)
  if (ownership.group !== undefined) {
    chownSync(path, 0, ownership.group)
    chmodSync(path, file.mode | 0o440)
    return
  }
  if (ownership.privateUser !== undefined && (file.mode & 0o077) === 0)
    chownSync(path, ownership.privateUser, 0)
  chmodSync(path, file.mode)
}

function own(directory: string, ownership: Ownership, mode: number): void {
  if (ownership.group !== undefined) chownSync(directory, 0, ownership.group)
  chmodSync(directory, ownership.group === undefined ? mode : mode | 0o2050)
}

function linkTopLevel(directory: string, names: ReadonlySet<string>): void {
  for (const entry of readdirSync(directory)) {
    if (!entry.startsWith('..') && !names.has(entry)) rmSync(join(directory, entry))
  }
  for (const name of names) {
    const path = join(directory, name)
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) symlinkSync(`..data/${name}`, path)
  }
}
