/** The reports of the worker, put together to one state. */
import type { AddressReport, Layer2Part, Layer2State } from './messages.ts'

export class Layer2View {
  readonly #announced = new Map<string, readonly string[]>()
  readonly #owners = new Map<string, string>()

  /** `changed`: the addresses that stand differently now. */
  apply(
    part: Layer2Part,
    addresses: readonly AddressReport[],
  ): { readonly state: Layer2State; readonly changed: ReadonlySet<string> } {
    const changed = new Set<string>()
    for (const report of addresses) if (this.#take(report)) changed.add(report.ip)
    return { state: { ...part, announced: this.#announced, owners: this.#owners }, changed }
  }

  /** Whether the address stands differently now. */
  #take({ ip, owner, interfaces }: AddressReport): boolean {
    const [owned, known] = [this.#owners.get(ip), this.#announced.get(ip)]
    if (owner === undefined) this.#owners.delete(ip)
    else if (owner !== owned) this.#owners.set(ip, owner)
    if (interfaces === undefined) this.#announced.delete(ip)
    else if (known === undefined || !sameTexts(known, interfaces)) this.#announced.set(ip, interfaces)
    return owner !== owned || this.#announced.get(ip) !== known
  }
}

/** The addresses aside, two states differ at most in when members were heard. */
export function sameStanding(a: Layer2Part, b: Layer2Part): boolean {
  return (
    a.serving === b.serving &&
    a.suspended === b.suspended &&
    a.epoch === b.epoch &&
    a.coordinator === b.coordinator &&
    sameTexts(a.members.map(standingOf), b.members.map(standingOf))
  )
}

function standingOf({ node, state }: Layer2Part['members'][number]): string {
  return `${node} ${state}`
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}
