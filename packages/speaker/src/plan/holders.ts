/** Which load balancers have which address, by its text. Most have one of their own, so that is kept small. */
import type { Key, Service } from '@landfall/kube/model'

export class Holders {
  readonly #byAddress = new Map<string, Key | Set<Key>>()

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
    return this.#byAddress.get(ip) instanceof Set
  }

  #add(ip: string, key: Key, touched: Set<Key>): void {
    const known = this.#byAddress.get(ip)
    if (known instanceof Set) known.add(key)
    else if (known === undefined) this.#byAddress.set(ip, key)
    else {
      touched.add(known)
      this.#byAddress.set(ip, new Set([known, key]))
    }
  }

  #delete(ip: string, key: Key, touched: Set<Key>): void {
    const known = this.#byAddress.get(ip)
    if (!(known instanceof Set)) {
      this.#byAddress.delete(ip)
      return
    }
    known.delete(key)
    const [last, another] = known
    if (last === undefined || another !== undefined) return
    touched.add(last)
    this.#byAddress.set(ip, last)
  }
}

function addressesOf(service: Service | undefined): readonly string[] {
  if (service?.type !== 'LoadBalancer') return []
  return [...new Set(service.ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip])))]
}
