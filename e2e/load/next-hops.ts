/** Sees on a router by which next hops the kernel sends what is for an address, and when that changes. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inNetns } from '../lab/host/netns.ts'
import type { LabHost } from '../lab/index.ts'

export interface Hops {
  /** Milliseconds of the epoch. */
  readonly at: number
  /** None: the route went. */
  readonly hops: readonly string[]
}

export interface HopsWatch {
  readonly changes: readonly Hops[]
  stop(): Promise<void>
}

export function watchNextHops(router: LabHost, address: string): HopsWatch {
  const [file = '', ...args] = inNetns(router.host.netns, ['ip', 'monitor', 'route'])
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve())
    child.once('error', reject)
  })
  ended.catch(() => {}) // reported by stop
  const reader = new HopsReader(address)
  createInterface(child.stdout).on('line', (line) =>
    reader.read(line, performance.timeOrigin + performance.now()),
  )
  return {
    changes: reader.changes,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Of `ip monitor route`: a route with several next hops has a line for each, indented, behind its own. */
export class HopsReader {
  readonly changes: { at: number; hops: string[] }[] = []
  readonly #address: string
  #open: { at: number; hops: string[] } | undefined

  constructor(address: string) {
    this.#address = address
  }

  read(line: string, at: number): void {
    if (/^\s/.test(line)) {
      const [, hop] = /via (\S+)/.exec(line) ?? []
      if (hop !== undefined) this.#open?.hops.push(hop)
      return
    }
    const [, deleted, address = '', rest = ''] = /^(Deleted )?(\S+)(.*)$/.exec(line) ?? []
    this.#open = undefined
    if (address !== this.#address) return
    const [, hop] = deleted === undefined ? (/via (\S+)/.exec(rest) ?? []) : []
    const change = { at, hops: hop === undefined ? [] : [hop] }
    this.changes.push(change)
    if (deleted === undefined) this.#open = change
  }
}
