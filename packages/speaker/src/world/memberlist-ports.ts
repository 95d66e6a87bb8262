/**
 * Asks nodes, over and over, whether something listens on memberlist's TCP port, as MetalLB's speakers do. Each
 * second while one does, and seldom while none does: then it is only somebody's way back to MetalLB that is waited for.
 */
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerAddress } from '../layer2/core/membership.ts'
import { type Answering, answerOfNode, foreignByPorts, type PortAnswer } from './foreign-speakers.ts'

/** So that a cluster of many nodes is not asked in bursts. */
const nodesAtOnce = 20

export interface MemberlistPortsOptions {
  readonly port: number
  /** Those that there is reason to ask. */
  readonly nodes: () => readonly PeerAddress[]
  /** Others answer than before. */
  readonly onChange: (nodes: readonly string[]) => void
  /** Milliseconds; tests shorten them. */
  readonly pauseMs?: number
  readonly idlePauseMs?: number
  readonly patienceMs?: number
}

export class MemberlistPorts {
  readonly #options: MemberlistPortsOptions
  readonly #stopped = new AbortController()
  #answering: Answering = new Map()

  constructor(options: MemberlistPortsOptions) {
    this.#options = options
  }

  /** Nodes where somebody listens. */
  get nodes(): ReadonlySet<string> {
    return new Set(this.#answering.keys())
  }

  /** Resolves after the first round, before which nothing is known. */
  async start(): Promise<void> {
    await this.#round()
    void this.#goOn()
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #goOn(): Promise<void> {
    const { pauseMs = 1000, idlePauseMs = 10_000, onChange } = this.#options
    const { signal } = this.#stopped
    for (;;) {
      const before = [...this.#answering.keys()]
      await sleep(before.length > 0 ? pauseMs : idlePauseMs, undefined, { signal, ref: false }).catch(
        () => {},
      )
      if (signal.aborted) return
      await this.#round()
      const after = [...this.#answering.keys()]
      if (!signal.aborted && after.join() !== before.join()) onChange(after)
    }
  }

  async #round(): Promise<void> {
    const asked = this.#options.nodes()
    const answers = new Map<string, PortAnswer>()
    for (let at = 0; at < asked.length && !this.#stopped.signal.aborted; at += nodesAtOnce) {
      const some = asked.slice(at, at + nodesAtOnce)
      await Promise.all(some.map(async (one) => void answers.set(one.node, await this.#ask(one))))
    }
    // In the order of the nodes, whoever answered first.
    const ordered = asked.flatMap(({ node }) => {
      const answer = answers.get(node)
      return answer === undefined ? [] : [[node, answer] as const]
    })
    this.#answering = foreignByPorts(this.#answering, new Map(ordered))
  }

  async #ask({ addresses }: PeerAddress): Promise<PortAnswer> {
    const { port, patienceMs = 500 } = this.#options
    return answerOfNode(await Promise.all(addresses.map((host) => portAnswer(host, port, patienceMs))))
  }
}

function portAnswer(host: string, port: number, patienceMs: number): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port })
    const say = (answer: PortAnswer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(patienceMs, () => say('silent'))
    socket.once('connect', () => say('open'))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      say(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    )
  })
}
