/** For how long nobody at all answered for an address. */
import type { AddressKey } from '../codec/ethernet.ts'
import type { PlannedAddress } from '../core/plan.ts'
import type { VirtualNode } from './virtual-node.ts'

export interface Silence {
  readonly address: AddressKey
  readonly ms: number
  readonly until: number
}

export class SilenceWatch {
  readonly #desired: readonly PlannedAddress[]
  readonly #now: () => number
  readonly #answering = new Map<AddressKey, Set<string>>()
  readonly #signatures = new Map<string, string>()
  readonly #since = new Map<AddressKey, number>()
  readonly #ended: Silence[] = []

  constructor(desired: readonly PlannedAddress[], now: () => number) {
    this.#desired = desired
    this.#now = now
    for (const { key } of desired) {
      this.#answering.set(key, new Set())
      this.#since.set(key, now())
    }
  }

  /** Those that have ended, and those that last still. */
  get silences(): readonly Silence[] {
    const until = this.#now()
    const lasting = [...this.#since].map(([address, since]) => ({ address, ms: until - since, until }))
    return [...this.#ended, ...lasting]
  }

  look({ name, core }: VirtualNode, answers: boolean): void {
    const signature = answers && core !== undefined ? `${core.held.digest}` : ''
    if (this.#signatures.get(name) === signature) return
    this.#signatures.set(name, signature)
    for (const { key } of this.#desired) this.#note(key, name, answers && core?.held.has(key) === true)
  }

  #note(address: AddressKey, name: string, answers: boolean): void {
    const answering = this.#answering.get(address)
    if (answering === undefined || answering.has(name) === answers) return
    if (answers) answering.add(name)
    else answering.delete(name)
    const since = this.#since.get(address)
    const now = this.#now()
    if (answering.size === 0) this.#since.set(address, now)
    else if (since !== undefined) {
      this.#since.delete(address)
      this.#ended.push({ address, ms: now - since, until: now })
    }
  }
}
