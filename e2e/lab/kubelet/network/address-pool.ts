// Addresses of a node's pods: the same number in its IPv4 /24 and its IPv6 /64, handed out round
// robin, so that an address just given back is not the next one given.

export interface PodAddresses {
  readonly v4: string
  readonly v6: string
}

const FIRST = 2
const LAST = 254

export class AddressPool {
  readonly #v4: string
  readonly #v6: string
  readonly #used = new Set<number>()
  #next = FIRST

  /** Takes `a.b.c.0/24` and `x:y::/64`. */
  constructor(v4: string, v6: string) {
    const four = /^(\d+\.\d+\.\d+\.)0\/24$/.exec(v4)
    const six = /^([0-9a-f:]+::)\/64$/i.exec(v6)
    if (four === null || six === null)
      throw new Error(`pod CIDRs must be a.b.c.0/24 and x::/64, not ${v4} and ${v6}`)
    this.#v4 = four[1] ?? ''
    this.#v6 = six[1] ?? ''
  }

  /** Undefined when all are in use. */
  take(): PodAddresses | undefined {
    for (let tried = FIRST; tried <= LAST; tried++) {
      const number = this.#next
      this.#next = number === LAST ? FIRST : number + 1
      if (this.#used.has(number)) continue
      this.#used.add(number)
      return { v4: `${this.#v4}${number}`, v6: `${this.#v6}${number.toString(16)}` }
    }
    return undefined
  }

  release(addresses: PodAddresses): void {
    this.#used.delete(Number(addresses.v4.slice(this.#v4.length)))
  }
}
