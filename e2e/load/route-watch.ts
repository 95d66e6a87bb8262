/** Sees on a router when it has no route to an address any more, however short. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inNetns } from '../lab/host/netns.ts'
import type { LabHost } from '../lab/index.ts'

export interface RouteWatch {
  /** How often the route went; one that only changes its next hops stays. */
  losses(): number
  /** When it went last, as performance.now() has it; undefined: it never did. */
  lostAt(): number | undefined
  stop(): Promise<void>
}

export function watchRoute(router: LabHost, address: string): RouteWatch {
  const [file = '', ...args] = inNetns(router.host.netns, ['ip', 'monitor', 'route'])
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve())
    child.once('error', reject)
  })
  ended.catch(() => {}) // reported by stop
  let losses = 0
  let lostAt: number | undefined
  createInterface(child.stdout).on('line', (line) => {
    if (!line.startsWith(`Deleted ${address} `)) return
    losses++
    lostAt = performance.now()
  })
  return {
    losses: () => losses,
    lostAt: () => lostAt,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
