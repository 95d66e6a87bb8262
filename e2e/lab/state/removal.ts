// Takes a lab away, whatever is left of it: it trusts no record. Processes are found three ways (pid
// files, network namespace, environment mark), so a crash in the middle of anything leaves nothing.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tryRun } from '../host/command.ts'
import { listNetns, netnsInodes, removeNetns } from '../host/netns.ts'
import { isAlive, processesOf, processStat, sendSignal } from '../host/process-table.ts'
import { labPrefix } from '../topology/topology.ts'
import { labDaemons, labPaths } from './lab-state.ts'

const memory = '/dev/shm'

export interface Removed {
  readonly processes: number
  readonly namespaces: number
  readonly mounts: number
}

export async function removeLab(id: string): Promise<Removed> {
  const prefix = labPrefix(id)
  const processes = await endProcesses(id, prefix)
  const names = listNetns(prefix)
  await Promise.all(names.map(removeNetns))
  const paths = labPaths(id)
  const directories = [paths.root, ...inMemory(prefix)]
  const mounts = mountsBelow(directories, readFileSync('/proc/self/mountinfo', 'utf8'))
  for (const mount of mounts) await tryRun(['umount', '-l', mount])
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  return { processes, namespaces: names.length, mounts: mounts.length }
}

/** etcd's data and what nodes keep in memory. */
function inMemory(prefix: string): readonly string[] {
  return readdirSync(memory)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(memory, name))
}

/** Process groups first, then whatever else is found, again until a look finds nothing. */
async function endProcesses(id: string, prefix: string): Promise<number> {
  const ended = new Set<number>()
  for (const daemon of labDaemons(id).list()) {
    if (!isAlive(daemon) || processStat(process.pid)?.group === daemon.pid) continue
    ended.add(daemon.pid)
    sendSignal(-daemon.pid, 'SIGKILL')
  }
  const deadline = Date.now() + 60_000
  while (true) {
    const rest = processesOf({ inodes: netnsInodes(prefix), prefix })
    if (rest.length === 0) return ended.size
    if (Date.now() > deadline) throw new Error(`lab '${id}': processes ${rest.join(', ')} do not end`)
    for (const pid of rest) {
      ended.add(pid)
      sendSignal(pid, 'SIGKILL')
    }
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** Mount points at or below the directories, deepest first. Column 5 of mountinfo, octal escapes undone. */
export function mountsBelow(directories: readonly string[], mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) =>
      path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => directories.some((d) => path === d || path.startsWith(`${d}/`)))
    .toSorted((a, b) => b.length - a.length)
}
