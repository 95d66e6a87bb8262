/**
 * Addresses that were taken from a Service and still stand in its status. They stand in no other's before that is
 * written, so that no two name one address, be it for a moment. Addresses as text.
 */
import type { Key } from '@landfall/kube/model'
import type { BalancedService } from './allocation/request.ts'

export class Leaving {
  /** By address. */
  readonly #leaving = new Map<string, Set<Key>>()
  readonly #waiting = new Map<string, Set<Key>>()
  readonly #addresses = new Map<Key, readonly string[]>()
  readonly #onFree: (key: Key) => void

  /** @param onFree told who waited for an address that is free now */
  constructor(onFree: (key: Key) => void) {
    this.#onFree = onFree
  }

  /** @param held all that it holds */
  see(key: Key, service: Pick<BalancedService, 'ingress'> | undefined, held: readonly string[]): void {
    const named = service?.ingress ?? []
    this.set(
      key,
      named.flatMap(({ ip }) => (ip === undefined || held.includes(ip) ? [] : ip)),
    )
  }

  /** @param ips all that the Service has to let go of; [] once its status names none of them */
  set(key: Key, ips: readonly string[]): void {
    const before = this.#addresses.get(key) ?? []
    if (ips.length > 0) this.#addresses.set(key, ips)
    else this.#addresses.delete(key)
    for (const ip of ips) added(this.#leaving, ip, key)
    for (const ip of before) if (!ips.includes(ip)) this.#free(ip, key)
  }

  /** Whether the Service has something to let go of. */
  has(key: Key): boolean {
    return this.#addresses.has(key)
  }

  /** Those of its addresses that its status may name now. For the others it waits. */
  free(key: Key, ips: readonly string[]): readonly string[] {
    return ips.filter((ip) => {
      const others = this.#leaving.get(ip)
      if (others === undefined || (others.size === 1 && others.has(key))) return true
      added(this.#waiting, ip, key)
      return false
    })
  }

  #free(ip: string, key: Key): void {
    const others = this.#leaving.get(ip)
    others?.delete(key)
    if (others !== undefined && others.size > 0) return
    this.#leaving.delete(ip)
    const waiting = this.#waiting.get(ip) ?? []
    this.#waiting.delete(ip)
    for (const one of waiting) this.#onFree(one)
  }
}

function added(sets: Map<string, Set<Key>>, ip: string, key: Key): void {
  const keys = sets.get(ip)
  if (keys === undefined) sets.set(ip, new Set([key]))
  else keys.add(key)
}
