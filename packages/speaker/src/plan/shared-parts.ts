/**
 * The parts that most plans have in common, once: why a protocol is silent, and which nodes may announce. A cluster has
 * thousands of Services, and few ways to announce them.
 */
import type { Candidate } from '../layer2/core/placement.ts'
import type { Silence } from './reasons.ts'
import type { Layer2Choice, Layer2Part, Nowhere, ServicePlan } from './service-plan.ts'

/** Of each kind; then all are forgotten, for who knows which are still in use. */
const mostKnown = 1000

export class SharedParts {
  readonly #silences = new Map<string, Silence>()
  readonly #candidates = new Map<string, readonly Candidate[]>()
  readonly #interfaces = new Map<string, readonly string[]>()
  readonly #nowheres = new Map<string, Nowhere>()

  /** Says the same. */
  share({ service, layer2, bgp, nowhere }: ServicePlan): ServicePlan {
    return {
      service,
      layer2: layer2.kind === 'silent' ? this.#silence(layer2) : this.#layer2(layer2),
      bgp: bgp.kind === 'silent' ? this.#silence(bgp) : bgp,
      nowhere: this.#nowhere(nowhere),
    }
  }

  #layer2({ kind, addresses, notHere, left }: Layer2Part): Layer2Part {
    return {
      kind,
      addresses: addresses.map((choice) => this.#choice(choice)),
      notHere: notHere && this.#silence(notHere),
      left: left.map(({ ip, why }) => ({ ip, why: this.#silence(why) })),
    }
  }

  #choice({ ip, candidates, interfaces }: Layer2Choice): Layer2Choice {
    const nodes = candidates.map(({ node, weight }) => `${node} ${weight}`).join()
    return {
      ip,
      candidates: one(this.#candidates, nodes, candidates),
      interfaces: one(this.#interfaces, interfaces.join(), interfaces),
    }
  }

  #silence(silence: Silence): Silence {
    return one(this.#silences, textOf(silence), silence)
  }

  #nowhere({ layer2, bgp }: Nowhere): Nowhere {
    const nowhere = { layer2: layer2 && this.#silence(layer2), bgp: bgp && this.#silence(bgp) }
    return one(this.#nowheres, `${textOf(layer2)}\n${textOf(bgp)}`, nowhere)
  }
}

function textOf(silence: Silence | undefined): string {
  return silence === undefined ? '' : `${silence.reason} ${silence.message}`
}

function one<T>(known: Map<string, T>, text: string, value: T): T {
  const before = known.get(text)
  if (before !== undefined) return before
  if (known.size >= mostKnown) known.clear()
  known.set(text, value)
  return value
}
