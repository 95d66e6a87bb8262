/** Asks the LAN for an address over and over, to see when nobody answers and when somebody else does. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inNetns } from '../lab/host/netns.ts'
import type { LabHost } from '../lab/index.ts'
import { parseAnswers } from '../lab/session/link-tools.ts'

export interface ArpAnswer {
  /** As performance.now() has it. */
  readonly at: number
  readonly mac: string
}

export interface ArpWatch {
  readonly answers: readonly ArpAnswer[]
  stop(): Promise<void>
}

const everySeconds = 0.02

export function watchArp(from: LabHost, ip: string): ArpWatch {
  const on = from.host.interfaces[0]?.name ?? 'eth0'
  const command = ['arping', '-W', `${everySeconds}`, '-i', on, ip]
  const [file = '', ...args] = inNetns(from.host.netns, command)
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve())
    child.once('error', reject)
  })
  ended.catch(() => {}) // reported by stop
  const answers: ArpAnswer[] = []
  createInterface(child.stdout).on('line', (line) => {
    for (const mac of parseAnswers(line)) answers.push({ at: performance.now(), mac })
  })
  return {
    answers,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The longest time without an answer after that moment; undefined while nobody answered since. */
export function silenceMs(answers: readonly ArpAnswer[], since: number): number | undefined {
  const before = answers.findLast(({ at }) => at <= since)
  const after = answers.filter(({ at }) => at > since)
  if (after.length === 0) return undefined
  const times = [before?.at ?? since, ...after.map(({ at }) => at)]
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
}
