/** Which load balancers have which address, by its text. */
import type { Key } from '@landfall/kube/model'
import { KeysByText } from './keys-by-text.ts'
import type { Service } from './world.ts'

export class Holders {
  readonly #byAddress = new KeysByText()

  /** Answers who shares an address with it now and did not before, or did and does no more. */
  replace(key: Key, before: Service | undefined, after: Service | undefined): ReadonlySet<Key> {
    const [old, now] = [addressesOf(before), addressesOf(after)]
    const touched = new Set<Key>()
    for (const ip of old) if (!now.includes(ip)) this.#delete(ip, key, touched)
    for (const ip of now) if (!old.includes(ip)) this.#add(ip, key, touched)
    touched.delete(key)
    return touched
  }

  isShared(ip: string): boolean {
    return this.#byAddress.of(ip).length > 1
  }

  #add(ip: string, key: Key, touched: Set<Key>): void {
    const [only, another] = this.#byAddress.of(ip)
    if (only !== undefined && another === undefined) touched.add(only)
    this.#byAddress.add(ip, key)
  }

  #delete(ip: string, key: Key, touched: Set<Key>): void {
    this.#byAddress.delete(ip, key)
    const [last, another] = this.#byAddress.of(ip)
    if (last !== undefined && another === undefined) touched.add(last)
  }
}

function addressesOf(service: Service | undefined): readonly string[] {
  if (service?.type !== 'LoadBalancer') return []
  return [...new Set(service.ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip])))]
}
