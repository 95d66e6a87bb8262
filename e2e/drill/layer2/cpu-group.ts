/** A cgroup with a quota of processor time, of version 1 or 2, whichever the machine has. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
const periodUs = 100_000

export class CpuGroup {
  readonly #folder: string

  /**
   * @param cores 0.1 is what Kubernetes calls 100m
   * @throws where the machine has no such cgroups to make
   */
  constructor(name: string, cores: number) {
    const old = existsSync(join(root, 'cpu'))
    this.#folder = join(root, old ? 'cpu' : '', name)
    mkdirSync(this.#folder)
    const quotaUs = Math.round(cores * periodUs)
    const write = (file: string, text: string) => writeFileSync(join(this.#folder, file), text)
    if (old) {
      write('cpu.cfs_period_us', String(periodUs))
      write('cpu.cfs_quota_us', String(quotaUs))
    } else write('cpu.max', `${quotaUs} ${periodUs}`)
  }

  /** All threads of the process. */
  add(pid: number): void {
    writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid))
  }

  /** In how many periods it had to stand still. */
  throttled(): number {
    return Number(/^nr_throttled (\d+)/m.exec(readFileSync(join(this.#folder, 'cpu.stat'), 'utf8'))?.[1])
  }

  /** Once it is empty. */
  remove(): void {
    rmdirSync(this.#folder)
  }
}
