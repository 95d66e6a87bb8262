/** What a member holds, by the orders of the coordinator that it follows (pure). */
import type { Body } from '../codec/bodies.ts'
import { ClaimsBook } from './claims-book.ts'
import { Holdings } from './holdings.ts'
import type { Order } from './orders.ts'
import type { GrowingOutcome } from './outcome.ts'

export class Holder {
  readonly held = new Holdings()
  readonly #claims = new ClaimsBook()
  #ack = 0

  /** The last order of this epoch that was carried out. */
  get ack(): number {
    return this.#ack
  }

  /** Orders of another epoch count from 1 again. */
  follow(): void {
    this.#ack = 0
  }

  /** One part of all that is held. */
  claims(part: number): Body {
    return this.#claims.answer(this.held, part)
  }

  /** Whether it is the next one. */
  accept({ sequence }: Order): boolean {
    if (sequence !== this.#ack + 1) return false
    this.#ack = sequence
    return true
  }

  /** @returns what it changed, for those that stand by */
  carryOut({ release, take, reason, silentMs }: Order, outcome: GrowingOutcome): Body {
    const from = this.held.digest
    for (const address of release) if (this.held.delete(address)) outcome.released.push(address)
    for (const address of take) {
      this.held.add(address)
      outcome.taken.push({ address, reason, silentMs })
    }
    return { kind: 'delta', from, to: this.held.digest, removed: release, added: take }
  }

  releaseAll(outcome: GrowingOutcome): void {
    for (const address of this.held) if (this.held.delete(address)) outcome.released.push(address)
  }
}
