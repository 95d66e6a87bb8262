/** A memory cgroup with a limit, of version 1 or 2, whichever the machine has. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'

export class MemoryGroup {
  readonly version: 1 | 2
  readonly #folder: string

  /** @throws where the machine has no memory cgroups to make */
  constructor(name: string, limitMiB: number) {
    this.version = existsSync(join(root, 'memory')) ? 1 : 2
    this.#folder = join(root, this.version === 1 ? 'memory' : '', name)
    mkdirSync(this.#folder)
    const limit = this.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'
    writeFileSync(join(this.#folder, limit), String(limitMiB * 2 ** 20))
  }

  /** The file that a process writes itself into. */
  get processes(): string {
    return join(this.#folder, 'cgroup.procs')
  }

  /** How many processes were killed for want of memory. */
  kills(): number {
    const file = this.version === 1 ? 'memory.oom_control' : 'memory.events'
    const text = readFileSync(join(this.#folder, file), 'utf8')
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1])
  }

  /** Once it is empty. */
  remove(): void {
    rmdirSync(this.#folder)
  }
}
