/** What a member says it holds, in parts that fit into messages (pure). */
import { type Body, fitting } from '../codec/bodies.ts'
import type { AddressKey } from '../codec/ethernet.ts'
import type { Holdings } from './holdings.ts'

export class ClaimsBook {
  #digest: bigint | undefined
  #parts: readonly (readonly AddressKey[])[] = []

  answer(held: Holdings, part: number): Body {
    if (this.#digest !== held.digest) {
      this.#digest = held.digest
      this.#parts = partsOf([...held])
    }
    const index = part < this.#parts.length ? part : 0
    const addresses = this.#parts[index] ?? []
    return { kind: 'claims', digest: held.digest, part: index, parts: this.#parts.length, addresses }
  }
}

function partsOf(addresses: readonly AddressKey[]): readonly (readonly AddressKey[])[] {
  const parts: (readonly AddressKey[])[] = []
  for (let start = 0; start < addresses.length; ) {
    const count = fitting(addresses, start)
    parts.push(addresses.slice(start, start + count))
    start += count
  }
  return parts.length === 0 ? [[]] : parts
}
