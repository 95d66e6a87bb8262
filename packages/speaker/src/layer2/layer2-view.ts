/** The reports of the worker, put together to one state. */
import type { AddressReport, Announced, Layer2Part, Layer2State } from './messages.ts'

export class Layer2View {
  readonly #announced = new Map<string, Announced>()
  readonly #owners = new Map<string, string>()

  apply(part: Layer2Part, addresses: readonly AddressReport[]): Layer2State {
    for (const { ip, owner, interfaces } of addresses) {
      if (owner === undefined) this.#owners.delete(ip)
      else this.#owners.set(ip, owner)
      if (interfaces === undefined) this.#announced.delete(ip)
      else this.#announced.set(ip, { ip, interfaces })
    }
    return { ...part, announced: [...this.#announced.values()], owners: Object.fromEntries(this.#owners) }
  }
}
