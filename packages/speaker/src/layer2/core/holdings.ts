/** A set of addresses with a digest that does not depend on the order in which they came (pure). */
import { createHash } from 'node:crypto'
import type { AddressKey } from '../codec/ethernet.ts'

/** Of the empty set. */
export const emptyDigest = 0n

const remembered = new Map<AddressKey, bigint>()
const mostRemembered = 50_000

export class Holdings {
  readonly #addresses = new Set<AddressKey>()
  #digest = emptyDigest

  get digest(): bigint {
    return this.#digest
  }

  get size(): number {
    return this.#addresses.size
  }

  has(address: AddressKey): boolean {
    return this.#addresses.has(address)
  }

  /** False: it was there. */
  add(address: AddressKey): boolean {
    if (this.#addresses.has(address)) return false
    this.#addresses.add(address)
    this.#digest ^= digestOf(address)
    return true
  }

  /** False: it was not there. */
  delete(address: AddressKey): boolean {
    if (!this.#addresses.delete(address)) return false
    this.#digest ^= digestOf(address)
    return true
  }

  [Symbol.iterator](): IterableIterator<AddressKey> {
    return this.#addresses.values()
  }
}

export function digestOf(address: AddressKey): bigint {
  const known = remembered.get(address)
  if (known !== undefined) return known
  const digest = createHash('sha256').update(address, 'latin1').digest().readBigUInt64BE()
  if (remembered.size >= mostRemembered) remembered.clear()
  remembered.set(address, digest)
  return digest
}
