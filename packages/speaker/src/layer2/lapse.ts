/** Tells a member that is silent for good from one that stood still or joins (pure). */
import { type Silence, silent } from '../plan/reasons.ts'
import type { PartitionPolicy } from './core/fence.ts'

/** A start, a stall and a change of coordinator are over by then. */
const lapseMs = 10_000

export interface Standing {
  readonly node: string
  readonly policy: PartitionPolicy
}

export class Lapse {
  readonly #of: Standing
  #since: number | undefined

  constructor(of: Standing) {
    this.#of = of
  }

  /** Asked each second. @returns why the node announces nothing, once that has lasted */
  look(suspended: boolean, now: number): Silence | undefined {
    const { node, policy } = this.#of
    if (suspended) this.#since ??= now
    else this.#since = undefined
    if (this.#since === undefined || now - this.#since < lapseMs) return undefined
    const why = policy === 'fence' ? ' (--layer2-partition=fence)' : ''
    return silent('noMajority', `node ${node} hears too few of the other speakers, and is silent${why}`)
  }
}
