/** A cgroup with a limit of memory or of processor time, of version 1 or 2, whichever the machine has. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
const periodUs = 100_000

export type Limit =
  | { readonly kind: 'memory'; readonly mib: number }
  /** 0.1 is what Kubernetes calls 100m. */
  | { readonly kind: 'cpu'; readonly cores: number }

export class LimitedGroup {
  readonly version: 1 | 2
  readonly #folder: string

  /** @throws where the machine has no such cgroups to make */
  constructor(name: string, limit: Limit) {
    this.version = versionOf(limit.kind)
    this.#folder = join(groupRoot(limit.kind), name)
    mkdirSync(this.#folder)
    try {
      for (const [file, text] of Object.entries(filesOf(limit, this.version)))
        writeFileSync(join(this.#folder, file), text)
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** The file that a process writes itself into. */
  get processes(): string {
    return join(this.#folder, 'cgroup.procs')
  }

  /** All threads of the process. */
  add(pid: number): void {
    writeFileSync(this.processes, String(pid))
  }

  /** How many processes were killed for want of memory. */
  kills(): number {
    return this.#count(this.version === 1 ? 'memory.oom_control' : 'memory.events', 'oom_kill')
  }

  /** In how many periods it had to stand still for want of processor time. */
  throttled(): number {
    return this.#count('cpu.stat', 'nr_throttled')
  }

  /** Once it is empty. */
  remove(): void {
    rmdirSync(this.#folder)
  }

  #count(file: string, name: string): number {
    const text = readFileSync(join(this.#folder, file), 'utf8')
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1])
  }
}

function versionOf(kind: Limit['kind']): 1 | 2 {
  return existsSync(join(root, kind)) ? 1 : 2
}

/** Whether the machine lets such groups be made. */
export function canLimit(limit: Limit): boolean {
  try {
    new LimitedGroup(`landfall-trial-${process.pid}`, limit).remove()
    return true
  } catch {
    return false
  }
}

/** The folder in which groups with such a limit are made. */
export function groupRoot(kind: Limit['kind']): string {
  return join(root, versionOf(kind) === 1 ? kind : '')
}

/** Cores that the process may use by the group it is in; undefined: no limit. */
export function cpuLimitOf(pid: number): number | undefined {
  const version = versionOf('cpu')
  const of = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  const pattern = version === 1 ? /^\d+:(?:[^:\n]*,)?cpu(?:,[^:\n]*)?:(.*)$/m : /^0::(.*)$/m
  const folder = join(groupRoot('cpu'), pattern.exec(of)?.[1] ?? '')
  const file = join(folder, version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max')
  const quota = existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) : Number.NaN
  return quota > 0 ? quota / periodUs : undefined
}

function filesOf(limit: Limit, version: 1 | 2): Readonly<Record<string, string>> {
  if (limit.kind === 'memory') {
    return { [version === 1 ? 'memory.limit_in_bytes' : 'memory.max']: String(limit.mib * 2 ** 20) }
  }
  const quotaUs = Math.round(limit.cores * periodUs)
  return version === 1
    ? { 'cpu.cfs_period_us': String(periodUs), 'cpu.cfs_quota_us': String(quotaUs) }
    : { 'cpu.max': `${quotaUs} ${periodUs}` }
}
