/** What a process costs, as /proc tells it. */
import { readdirSync, readFileSync } from 'node:fs'

/** Of /proc/PID/stat, in ticks of a hundredth of a second. */
const msPerTick = 10

export interface ProcessMemory {
  /** Resident now and at most, in MiB. */
  readonly now: number
  readonly peak: number
}

/** User and system time so far, of threads that have ended too; to 10 ms. */
export function totalCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * msPerTick
}

/** Time on a processor of the threads that there are. */
export function threadsCpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + threadCpuMs(pid, thread), 0)
}

/** Of the thread that a process began with. */
export function mainCpuMs(pid: number): number {
  return threadCpuMs(pid, String(pid))
}

export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  return { now: mib('VmRSS'), peak: mib('VmHWM') }
}

function threadCpuMs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0 // it ended in between
  }
}
