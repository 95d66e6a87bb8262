// Finds programs that are there already: on the PATH and in a few directories besides.
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export function findProgram(name: string, directories?: readonly string[]): string | undefined {
  const places = directories ?? (process.env['PATH'] ?? '').split(delimiter)
  return places
    .filter((d) => d !== '')
    .map((d) => join(d, name))
    .find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
