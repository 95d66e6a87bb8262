/** Steady load from a host of the lab, and what came of it. */
import { join } from 'node:path'
import type { LabHost } from '../lab/index.ts'

export interface LoadOptions {
  readonly address: string
  readonly host: string
  readonly perSecond: number
  readonly seconds: number
  /** Of one request, from its start to the end of its answer. */
  readonly timeoutMs: number
}

export interface Failure {
  /** When the request was sent, from the start of the load. */
  readonly atMs: number
  readonly why: string
}

export interface LoadResult {
  readonly sent: number
  readonly answered: number
  readonly failures: readonly Failure[]
  readonly medianMs: number
  readonly longestMs: number
}

const program = join(import.meta.dirname, 'main.ts')

/** Resolves when the load has ended. */
export async function steadyLoad(from: LabHost, options: LoadOptions): Promise<LoadResult> {
  const argv = [process.execPath, program, JSON.stringify(options)]
  return JSON.parse(await from.run(argv, { timeoutMs: (options.seconds + 30) * 1000 }))
}

/** The time from the first failed request to the last one, 0 without any: how long service was away. */
export function gapMs(result: LoadResult): number {
  const times = result.failures.map((failure) => failure.atMs)
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)
}
