/** What has been measured so far, a line of JSON each, so that what was interrupted can go on. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ofDrills = join(import.meta.dirname, '..', '..', 'dist', 'drill')

export class Journal<T> {
  readonly path: string

  /** @param resume go on with what is there; else it is removed */
  constructor(name: string, resume: boolean, folder = ofDrills) {
    this.path = join(folder, `${name}.jsonl`)
    mkdirSync(dirname(this.path), { recursive: true })
    if (!resume) rmSync(this.path, { force: true })
  }

  rows(): readonly T[] {
    if (!existsSync(this.path)) return []
    return readFileSync(this.path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): T => JSON.parse(line))
  }

  add(row: T): void {
    appendFileSync(this.path, `${JSON.stringify(row)}\n`)
  }
}
