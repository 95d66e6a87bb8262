/** `landfall config validate`: what a cluster's status would say of files. */
import { readFile } from 'node:fs/promises'
import type { Settings } from '../configuration/settings.ts'
import { readDocuments } from './documents.ts'
import { configuredFile, type Finding, validate } from './validate.ts'

export type { Finding } from './validate.ts'
export { changeOf } from './world.ts'

export interface ValidateOptions {
  /** Files, folders, `-`. */
  readonly paths: readonly string[]
  /** Of objects that name none. */
  readonly namespace: string
  readonly configPath: string | undefined
  readonly flags: Settings
}

/** @throws when a path cannot be read */
export async function validateFiles(options: ValidateOptions): Promise<readonly Finding[]> {
  const { paths, namespace, configPath, flags } = options
  const documents = (await Promise.all(paths.map(readDocuments))).flat()
  if (configPath === undefined) return validate(documents, flags, namespace)
  const chosen = configuredFile(configPath, await readFile(configPath, 'utf8'), flags)
  return [chosen.finding, ...validate(documents, flags, namespace, chosen.settings)]
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ status }) => status === 'invalid' || status === 'orphaned')
}

/** A line for each finding, and below it one for each problem. */
export function table(findings: readonly Finding[]): string {
  const rows = findings.map(({ kind, namespace, name, status, file }) => [
    kind,
    namespace === '' ? name : `${namespace}/${name}`,
    status,
    file,
  ])
  const all = [['KIND', 'NAME', 'STATUS', 'FILE'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const lines = findings.flatMap(({ problems }, index) => [
    line(rows[index] ?? []),
    ...problems.map(({ severity, type, reason, message }) => `  ${severity} ${type}/${reason}: ${message}`),
  ])
  return `${[line(all[0] ?? []), ...lines].join('\n')}\n`
}
