/** Steady load from a host of the lab, and what came of it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inNetns } from '../lab/host/netns.ts'
import type { LabHost } from '../lab/index.ts'
import type { Gap } from './gaps.ts'
import { PortsUsed } from './ports.ts'

export interface LoadOptions {
  readonly address: string
  readonly host: string
  readonly perSecond: number
  /** Of one request, from its start to the end of its answer; unanswered by then is lost. */
  readonly timeoutMs: number
  /** Then only where a packet was not answered, by the kernel's word; what waits for a busy process is late, not lost. */
  readonly byPackets?: true
  /** An answer that took longer than this was held up, by a lost packet for example. */
  readonly lateMs: number
}

/** What a generator is told. */
export interface LoadOrder extends LoadOptions {
  /** Connections that were made before, for `localPort`. */
  readonly portsUsed: number
}

export interface Disturbance {
  /** When the request was sent, from the start of the load. */
  readonly atMs: number
  /** Until it was answered, or lost. */
  readonly tookMs: number
  readonly why: string
  /** Its connection was made, and then reset or no longer answered. */
  readonly wasConnected?: true
}

export interface LoadResult {
  readonly sent: number
  readonly answered: number
  readonly lost: readonly Disturbance[]
  /** Answered, but late. */
  readonly late: readonly Disturbance[]
  /** Each from the first lost to the first of 20 good ones in a row. */
  readonly gaps: readonly Gap[]
  /** Milliseconds since the epoch: what the other times count from. */
  readonly startedAt: number
  readonly medianMs: number
  readonly longestMs: number
  /** How late the generator's own 10 ms ticker was at worst: below that nothing can be told. */
  readonly tickerLateMs: number
}

export interface LoadTally {
  readonly sent: number
  readonly answered: number
  /** Time since the last request that was lost, came late, or is overdue now. */
  readonly quietMs: number
}

export type LoadLine =
  | { readonly kind: 'tally'; readonly tally: LoadTally }
  | { readonly kind: 'result'; readonly result: LoadResult }

export interface RunningLoad {
  readonly from: string
  tally(): LoadTally
  /** Lets the open requests end. */
  stop(): Promise<LoadResult>
}

const program = join(import.meta.dirname, 'main.ts')
const ports = new PortsUsed()

/** Requests until it is stopped, each on a connection of its own. Ends with the process that started it. */
export function startLoad(from: LabHost, options: LoadOptions): RunningLoad {
  const { netns } = from.host
  const order: LoadOrder = { ...options, portsUsed: ports.of(netns, options.address) }
  const [file = '', ...args] = inNetns(netns, [process.execPath, program, JSON.stringify(order)])
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {}) // it ended already: said by the result that does not come
  let tally: LoadTally = { sent: 0, answered: 0, quietMs: 0 }
  const result = Promise.withResolvers<LoadResult>()
  result.promise.catch(() => {}) // reported where it is asked for
  createInterface(child.stdout)
    .on('line', (text) => {
      const line: LoadLine = JSON.parse(text)
      if (line.kind === 'tally') tally = line.tally
      else {
        ports.add(netns, options.address, line.result.sent)
        result.resolve(line.result)
      }
    })
    .once('close', () => result.reject(new Error(`the load from ${from.name} ended without a result`)))
  child.once('error', result.reject)
  return {
    from: from.name,
    tally: () => tally,
    stop: () => {
      child.stdin.end()
      return result.promise
    },
  }
}

/** How long service was away: from the first disturbed request to the last one, by the time of sending. */
export function gapMs({ lost, late }: LoadResult): number {
  const times = [...lost, ...late].map(({ atMs }) => atMs)
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)
}
