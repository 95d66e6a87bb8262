/** One random life of a few speakers, by seed: what was broken, and what the observer has to say of it. */
import { hubs, meshSize } from '../core/election.ts'
import { type Broken, Simulation, type World } from './simulation.ts'
import type { VirtualNode } from './virtual-node.ts'

export interface Verdict {
  readonly seed: number
  readonly violations: readonly string[]
  readonly moves: number
  /** What happened, for people. */
  readonly story: readonly string[]
}

const paces = [
  { intervalMs: 100, misses: 6 },
  { intervalMs: 100, misses: 3 },
  { intervalMs: 200, misses: 5 },
]
/** Two exchanges of heartbeats, and what a message may take beyond. */
const exchanges = 2
/** Of several that had rights to give: what the others of them held is surely free a little later. */
const exchangesOfHubs = 2.5

export function chaos(seed: number, broken?: Broken): Verdict {
  const simulation = new Simulation(seed, worldOf(seed), broken)
  return new Chaos(simulation, seed).run()
}

function worldOf(seed: number): World {
  const pick = <T>(items: readonly T[], by: number): T =>
    items[Math.floor(seed / by) % items.length] ?? pick(items, 1)
  const loss = pick([0, 0.02, 0, 0.15], 1)
  return {
    // Now and then so many that only the first few hear everyone.
    nodes: Math.floor(seed / 13) % 25 === 24 ? 12 : 2 + (Math.floor(seed / 3) % 5),
    addresses: pick([1, 7, 16], 2),
    timing: pick(paces, 5),
    partition: pick(['serve', 'serve', 'fence'], 7),
    loss,
    delayMs: pick([[0.1, 0.6] as const, [0.1, 8] as const], 11),
  }
}

class Chaos {
  readonly #simulation: Simulation
  readonly #seed: number
  readonly #story: string[] = []
  /** Now and then all hubs are lost together, as with their switch. */
  readonly #losesHubs: boolean
  #split = false

  constructor(simulation: Simulation, seed: number) {
    this.#simulation = simulation
    this.#seed = seed
    this.#losesHubs = simulation.nodes.length > meshSize && Math.floor(seed / 4) % 2 === 1
    // What is lost now and then can look like death.
    simulation.observer.watchesMoves = simulation.world.loss < 0.1
  }

  run(): Verdict {
    const { nodes, random, world, observer } = this.#simulation
    this.#tell(JSON.stringify(world))
    for (const node of nodes)
      this.#simulation.queue.at(random.between(0, 250), () => this.#simulation.start(node))
    this.#simulation.run(4500)
    this.#checkSpread(new Map())
    for (let fault = random.whole(2, 5); fault > 0; fault--) {
      this.#disturb()
      this.#simulation.run(random.chance(0.5) ? random.between(0, 900) : random.between(900, 5000))
    }
    this.#recover()
    this.#checkConvergence()
    return { seed: this.#seed, violations: observer.violations, moves: observer.moves, story: this.#story }
  }

  #disturb(): void {
    const { random, nodes } = this.#simulation
    const node = random.pick(nodes)
    const faults = [
      () => this.#kill(node),
      () => this.#freeze(node),
      () => this.#leave(node),
      () => this.#partition(),
      () => this.#stutter(node),
      () => this.#cut(node),
      () => this.#choose(node),
    ]
    if (this.#losesHubs) faults.push(() => this.#killHubs())
    random.pick(faults)()
  }

  #kill(node: VirtualNode): void {
    if (node.core === undefined) return this.#restart(node)
    this.#tell(`${node.name} killed`)
    node.kill()
    if (this.#simulation.random.chance(0.6)) this.#later(node, () => this.#restart(node))
  }

  #killHubs(): void {
    for (const node of this.#simulation.nodes.slice(0, hubs)) if (node.running) this.#kill(node)
  }

  #restart(node: VirtualNode): void {
    if (node.core !== undefined) return
    this.#tell(`${node.name} started`)
    this.#simulation.start(node)
  }

  #freeze(node: VirtualNode): void {
    if (!node.running) return
    this.#tell(`${node.name} frozen`)
    node.freeze()
    this.#later(node, () => {
      if (!node.frozen) return
      this.#tell(`${node.name} thawed`)
      node.thaw()
    })
  }

  /** Many short stalls, as under a CPU quota. */
  #stutter(node: VirtualNode): void {
    const { queue, random } = this.#simulation
    this.#tell(`${node.name} stutters`)
    for (let i = 0; i < 20; i++) {
      const at = queue.now + random.between(0, 3000)
      queue.at(at, () => node.running && node.freeze())
      queue.at(at + random.between(10, 190), () => node.thaw())
    }
  }

  #leave(node: VirtualNode): void {
    if (!node.running || node.leaving) return
    this.#tell(`${node.name} leaves`)
    node.leave()
    const { queue, random } = this.#simulation
    queue.at(queue.now + random.between(50, 1200), () => {
      if (!node.leaving) return
      this.#tell(`${node.name} departs`)
      node.depart()
    })
    if (random.chance(0.7)) this.#later(node, () => this.#restart(node))
  }

  #partition(): void {
    const { random, nodes } = this.#simulation
    if (this.#split) return this.#heal()
    const sides = new Map(nodes.map(({ name }) => [name, random.whole(0, 1)]))
    this.#tell(`split ${nodes.map(({ name }) => `${name}:${sides.get(name)}`).join(' ')}`)
    this.#split = true
    this.#simulation.split((name) => sides.get(name) ?? 0)
  }

  /** Single links, while the others hold. */
  #cut(node: VirtualNode): void {
    const { random, nodes } = this.#simulation
    if (this.#split) return this.#heal()
    this.#split = true
    for (let left = random.whole(1, nodes.length); left > 0; left--) {
      const other = random.pick(nodes)
      if (other === node) continue
      this.#tell(`${node.name} and ${other.name} do not hear each other`)
      this.#simulation.cut(node.name, other.name)
      if (random.chance(0.5)) node = other
    }
  }

  /** A node is shut out of what others may have, or allowed again. */
  #choose(node: VirtualNode): void {
    const { candidates, desired, random } = this.#simulation
    const isOut = desired.some((address) => address.candidates.length < candidates.length)
    this.#tell(isOut ? 'all may own' : `${node.name} is shut out`)
    for (const { key, unit } of desired) {
      const others = random.chance(0.8) ? candidates.filter((one) => one.node !== node.name) : candidates
      this.#simulation.desire({ key, unit, candidates: isOut ? candidates : others })
    }
  }

  #allow(): void {
    const { candidates, desired } = this.#simulation
    for (const { key, unit } of desired) this.#simulation.desire({ key, unit, candidates })
  }

  #heal(): void {
    this.#tell('healed')
    this.#split = false
    this.#simulation.heal()
  }

  #later(node: VirtualNode, act: () => void): void {
    const { queue, random } = this.#simulation
    const wait = random.chance(0.5) ? random.between(100, 1200) : random.between(1200, 6000)
    queue.at(queue.now + wait, () => {
      node.disturbedAt = queue.now
      act()
    })
  }

  /** Everything is well again; what was still to come has come. */
  #recover(): void {
    this.#simulation.run(7000)
    if (this.#split) this.#heal()
    this.#allow()
    for (const node of this.#simulation.nodes) {
      if (node.frozen) node.thaw()
      if (node.core === undefined) this.#restart(node)
    }
    this.#simulation.run(6000)
  }

  /** Nobody was given anything while another had less by more than one. */
  #checkSpread(before: ReadonlyMap<string, number>): void {
    const { nodes, observer, world } = this.#simulation
    const [near] = nodes.filter((node) => node.running)
    if (near === undefined || world.loss > 0) return
    const loads = observer.loads(near)
    const least = Math.min(...loads.values())
    for (const [name, load] of loads)
      if (load > (before.get(name) ?? 0) && load > least + 1)
        observer.note(`${name} was given more than others: it has ${load}, another ${least}`)
  }

  /** One more fault, the worst: an owner goes, or all hubs, and soon everything has one owner again. */
  #checkConvergence(): void {
    const { nodes, observer, random, world } = this.#simulation
    const [first] = nodes
    if (first === undefined || !nodes.every((node) => node.running)) return
    for (let i = 0; i < 20 && !observer.converged(first); i++) this.#simulation.run(100)
    if (!observer.converged(first)) return observer.note('not every address has one owner in the end')
    if (world.loss > 0 || world.partition === 'fence') return
    const victims = this.#losesHubs ? nodes.slice(0, hubs) : [random.pick(nodes)]
    const near = nodes.find((node) => !victims.includes(node))
    if (near === undefined) return
    const before = observer.loads(near)
    for (const victim of victims) {
      this.#tell(`${victim.name} killed, last`)
      victim.kill()
    }
    const { intervalMs, misses } = world.timing
    const limit =
      intervalMs * (misses + (this.#losesHubs ? exchangesOfHubs : exchanges)) + 6 * world.delayMs[1]
    this.#simulation.run(limit)
    if (!observer.converged(near)) observer.note(`not converged after ${limit} ms`)
    this.#checkSpread(before)
  }

  #tell(what: string): void {
    this.#story.push(`${Math.round(this.#simulation.queue.now)} ms: ${what}`)
  }
}
