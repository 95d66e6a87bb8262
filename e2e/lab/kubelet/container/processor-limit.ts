// A container's limit of processor time, in labs that ask for it (`createLab({ cpuLimits: true })`): a cgroup of the machine
// for each run, and in the container the file in which a program looks its limit up, as cgroup version 2 shows it.
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { groupRoot, LimitedGroup } from '../../../cgroup/limited-group.ts'
import type { Container } from '../api/pod.ts'
import type { Exit } from './process.ts'
import type { Mount } from './script.ts'

const REMOVALS = 20
const REMOVAL_WAIT_MS = 100

/** Kubernetes' `100m` or `2`, in cores; undefined: no limit. */
export function coresOf({ resources }: Pick<Container, 'resources'>): number | undefined {
  const cpu = resources?.limits?.['cpu']
  if (cpu === undefined) return undefined
  return cpu.endsWith('m') ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu)
}

/** Where a program finds its limit; `directory` is for this alone. */
export function limitFile(cores: number, directory: string): Mount {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'cpu.max'), `${Math.round(cores * 100_000)} 100000\n`)
  return { source: directory, target: '/sys/fs/cgroup', kind: 'directory', readOnly: true }
}

/** Begins the names of all groups of a node. */
export function limitPrefix({
  labId,
  nodeName,
}: {
  readonly labId: string
  readonly nodeName: string
}): string {
  return `landfall-${labId}-${nodeName}-`
}

/** Holds the process, and what it starts from now on, to so many cores until it ends. */
export function limitProcessor(
  process: { readonly pid: number; readonly exited: Promise<Exit> },
  cores: number,
  name: string,
): void {
  const group = new LimitedGroup(name, { kind: 'cpu', cores })
  group.add(process.pid)
  void process.exited.then(() => removed(() => group.remove()))
}

/** Takes away what a kubelet that was killed left behind. */
export async function removeLimits(prefix: string): Promise<void> {
  const root = groupRoot('cpu')
  if (!existsSync(root)) return
  const names = readdirSync(root).filter((name) => name.startsWith(prefix))
  await Promise.all(names.map((name) => removed(() => rmdirSync(join(root, name)))))
}

/** Processes that were killed stay in a group until their parent has heard of it. */
async function removed(remove: () => void): Promise<void> {
  for (let left = REMOVALS; left > 0; left--) {
    try {
      remove()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, REMOVAL_WAIT_MS))
    }
  }
}
