/** Equal lists of candidates become one, as long as an address has it (pure): they come as copies. */
import type { AddressKey } from '../codec/ethernet.ts'
import type { Candidate } from './placement.ts'

interface List {
  readonly text: string
  readonly candidates: readonly Candidate[]
  users: number
}

export class CandidateLists {
  readonly #lists = new Map<string, List>()
  readonly #of = new Map<AddressKey, List>()

  get size(): number {
    return this.#lists.size
  }

  /** @returns the one list that stands for all that are equal */
  use(address: AddressKey, candidates: readonly Candidate[]): readonly Candidate[] {
    const text = candidates.map(({ node, weight }) => `${node} ${weight}`).join()
    const list = this.#lists.get(text) ?? { text, candidates, users: 0 }
    list.users++
    this.#lists.set(text, list)
    this.forget(address)
    this.#of.set(address, list)
    return list.candidates
  }

  forget(address: AddressKey): void {
    const list = this.#of.get(address)
    if (list === undefined) return
    this.#of.delete(address)
    list.users--
    if (list.users === 0) this.#lists.delete(list.text)
  }
}
