/** Watches the LAN of a lab from its bridge: who claims which address, while somebody keeps asking. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inNetns, ipBatch } from '../lab/host/netns.ts'
import type { Lab } from '../lab/index.ts'
import type { Claim } from './claims.ts'

/** What the program of the watch is told. */
export interface Watched {
  readonly link: string
  readonly ask: readonly string[]
  /** Between two questions for one address. */
  readonly everyMs: number
}

export interface SegmentWatch {
  readonly claims: readonly Claim[]
  stop(): Promise<readonly Claim[]>
}

const program = join(import.meta.dirname, 'main.ts')
const link = 'br-lan'

export async function watchSegment(lab: Lab, o: Omit<Watched, 'link'>): Promise<SegmentWatch> {
  const { bridgeNetns } = lab.topology
  // A bridge passes all of its frames up only when it is promiscuous.
  await ipBatch(bridgeNetns, [`link set ${link} promisc on`])
  const argument: Watched = { link, ...o }
  const [file = '', ...args] = inNetns(bridgeNetns, [process.execPath, program, JSON.stringify(argument)])
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {}) // it ended already: said below
  const ended = Promise.withResolvers<void>()
  ended.promise.catch(() => {}) // reported by stop
  child.once('error', ended.reject).once('close', (code) => {
    if (code === 0) ended.resolve()
    else ended.reject(new Error(`the watch of the segment ended with ${code}`))
  })
  const claims: Claim[] = []
  createInterface(child.stdout).on('line', (line) => {
    const batch: readonly Claim[] = JSON.parse(line)
    claims.push(...batch)
  })
  return {
    claims,
    stop: async () => {
      child.stdin.end()
      await ended.promise
      return claims
    },
  }
}

/** Now, on the clock of the claims. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
