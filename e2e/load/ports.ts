/**
 * From which local ports a load asks. The kernel comes around to the same one within half a minute; but a node that an
 * address moved away from never saw the end of what was open then, and would take a new connection with the same
 * addresses and ports for that one, whose backend may be gone (nf_conntrack keeps it for days).
 */
/** Below those that the kernel gives to others (`ip_local_port_range`), of which some are remembered for a minute. */
const first = 1_100
const count = 31_600

/** The one for the `n`th connection of all, from 0. */
export function localPort(n: number): number {
  return first + (n % count)
}

/** How many connections were made so far from where to where, from a random one: labs outlive who uses them. */
export class PortsUsed {
  readonly #used = new Map<string, number>()

  of(from: string, to: string): number {
    const key = `${from} ${to}`
    const used = this.#used.get(key) ?? Math.floor(Math.random() * count)
    this.#used.set(key, used)
    return used
  }

  add(from: string, to: string, connections: number): void {
    this.#used.set(`${from} ${to}`, this.of(from, to) + connections)
  }
}
