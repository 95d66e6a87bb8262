/** The reports of the worker, put together to one state. What no report changed stays the same value. */
import type { AddressReport, Announced, Layer2Part, Layer2State } from './messages.ts'

export class Layer2View {
  readonly #announced = new Map<string, Announced>()
  readonly #owners = new Map<string, string>()
  #addresses: Pick<Layer2State, 'announced' | 'owners'> = { announced: [], owners: {} }

  apply(part: Layer2Part, addresses: readonly AddressReport[]): Layer2State {
    let changed = false
    for (const report of addresses) if (this.#take(report)) changed = true
    if (changed)
      this.#addresses = {
        announced: [...this.#announced.values()],
        owners: Object.fromEntries(this.#owners),
      }
    return { ...part, ...this.#addresses }
  }

  /** Whether the address stands differently now. */
  #take({ ip, owner, interfaces }: AddressReport): boolean {
    const [owned, known] = [this.#owners.get(ip), this.#announced.get(ip)]
    if (owner === undefined) this.#owners.delete(ip)
    else if (owner !== owned) this.#owners.set(ip, owner)
    if (interfaces === undefined) this.#announced.delete(ip)
    else if (known === undefined || !sameTexts(known.interfaces, interfaces))
      this.#announced.set(ip, { ip, interfaces })
    return owner !== owned || this.#announced.get(ip) !== known
  }
}

/** Of two states of one view: they differ at most in when members were heard. */
export function sameStanding(a: Layer2State, b: Layer2State): boolean {
  return (
    a.announced === b.announced &&
    a.owners === b.owners &&
    a.serving === b.serving &&
    a.suspended === b.suspended &&
    a.epoch === b.epoch &&
    a.coordinator === b.coordinator &&
    sameTexts(a.members.map(standingOf), b.members.map(standingOf))
  )
}

function standingOf({ node, state }: Layer2State['members'][number]): string {
  return `${node} ${state}`
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}
