/** Steady requests to an Envoy from a process of its own, and what came of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inNetns } from '../lab/host/netns.ts'

export interface RequestsOptions {
  /** Loopback unless said. */
  readonly address?: string
  /** Certificate and key that are shown to the server, as PEM. */
  readonly client?: { readonly cert: string; readonly key: string }
  readonly port: number
  readonly tls: boolean
  /** In turn. */
  readonly hosts: readonly string[]
  readonly paths: readonly string[]
  readonly perSecond: number
  readonly connections: number
  /** Unanswered by then is lost. */
  readonly timeoutMs: number
}

export interface RequestsResult {
  /** Milliseconds since the epoch: what the other times count from. */
  readonly startedAt: number
  readonly sent: number
  /** Why → how many: a status other than 200, or what became of the connection. */
  readonly failures: Readonly<Record<string, number>>
  /** The first of them, by when they were sent. */
  readonly failed: readonly { readonly atMs: number; readonly why: string }[]
  /** Body → how many. */
  readonly answers: Readonly<Record<string, number>>
  readonly longestMs: number
  /** Kept connections that the other side closed. */
  readonly closed: number
  /** How late the generator's own timers were at worst. */
  readonly tickerLateMs: number
}

export interface RunningRequests {
  /** Lets the open requests end. */
  stop(): Promise<RequestsResult>
}

const program = join(import.meta.dirname, 'load-main.ts')

/** Ends with the process that started it. @param netns of the host that it is to come from */
export function startRequests(options: RequestsOptions, netns?: string): RunningRequests {
  const argv = [process.execPath, program, JSON.stringify(options)]
  const [file = '', ...args] = netns === undefined ? argv : inNetns(netns, argv)
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = once(createInterface({ input: child.stdout }), 'line')
  line.catch(() => {}) // reported where it is asked for
  return {
    stop: async () => {
      child.stdin.end()
      const [text] = await line
      const result: RequestsResult = JSON.parse(String(text))
      return result
    },
  }
}

export function lostOf({ failures }: RequestsResult): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0)
}

/** `status 503 12, ECONNRESET 3` */
export function lossText({ failures }: RequestsResult): string {
  return Object.entries(failures)
    .map(([why, count]) => `${why} ${count}`)
    .join(', ')
}
