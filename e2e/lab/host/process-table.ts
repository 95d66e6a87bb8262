// What /proc says about processes. A process is known by pid and start time together, for a pid is
// used again; a zombie counts as gone.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface ProcessId {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  readonly startTime: string
}

export interface ProcessStat extends ProcessId {
  readonly state: string
  readonly group: number
}

/** Reads a line of /proc/<pid>/stat; the command in parentheses may hold spaces and parentheses. */
export function parseStat(text: string): ProcessStat | undefined {
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  const pid = Number.parseInt(text, 10)
  const [state, , group] = fields
  const startTime = fields[19]
  if (close < 0 || state === undefined || group === undefined || startTime === undefined) return undefined
  return { pid, state, group: Number(group), startTime }
}

export function processStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

export function ownProcess(): ProcessId {
  const { pid, startTime } = processStat(process.pid) ?? { pid: process.pid, startTime: '' }
  return { pid, startTime }
}

export function isAlive(p: ProcessId): boolean {
  const stat = processStat(p.pid)
  return stat !== undefined && stat.startTime === p.startTime && stat.state !== 'Z'
}

export function livePids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = processStat(pid)
      return stat !== undefined && stat.state !== 'Z'
    })
}

/** Live processes in one of these network namespaces, or started with LANDFALL_LAB set to the prefix. */
export function processesOf(o: {
  readonly inodes: ReadonlyMap<number, string>
  readonly prefix?: string
}): readonly number[] {
  return livePids().filter((pid) => {
    if (pid === process.pid) return false
    const inode = netInode(pid)
    if (inode !== undefined && o.inodes.has(inode)) return true
    return o.prefix !== undefined && hasMark(pid, o.prefix)
  })
}

/** The environment variable that each process of a lab carries. */
export const labMark = 'LANDFALL_LAB'

function hasMark(pid: number, prefix: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(`\0${labMark}=${prefix}\0`)
  } catch {
    return false
  }
}

function netInode(pid: number): number | undefined {
  try {
    const match = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`))
    return match === null ? undefined : Number(match[1])
  } catch {
    return undefined
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (e) {
    if (!(e instanceof Error && 'code' in e && e.code === 'ESRCH')) throw e
  }
}
