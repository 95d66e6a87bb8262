// What tells a process from a later one with the same pid, and which processes belong to a
// container: all that have its root, whatever session they moved to.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Field 22 of /proc/<pid>/stat; undefined when there is no such process (a zombie counts as none). */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** Every process whose root directory lies below `directory`, that is: was chrooted into it. */
export function processesBelow(directory: string): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => rootOf(pid)?.startsWith(`${directory}/`) === true)
}

function rootOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/root`)
  } catch {
    return undefined
  }
}

/** Sends the signal, and says nothing when the process has gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (problem) {
    if (!(problem instanceof Error && 'code' in problem && problem.code === 'ESRCH')) throw problem
  }
}
