/**
 * One life of planned moves, by seed: speakers stop one after another and come back, also while addresses are spread
 * anew, while who may have them changes, and while the next one comes to coordinate. No message is lost. In every third
 * life some are killed instead.
 */
import type { Verdict } from './chaos.ts'
import { textOf } from './observer.ts'
import { Simulation, type World } from './simulation.ts'
import type { VirtualNode } from './virtual-node.ts'

/** As the announcer's. */
const handOverMs = 1000
const handOverLookMs = 2
const paces = [
  { intervalMs: 100, misses: 6 },
  { intervalMs: 100, misses: 3 },
  { intervalMs: 200, misses: 5 },
]
/** A release, its confirmation and the order to take, behind others that are under way. */
const exchanges = 5
/** Beyond the detection time: the right of the dead, and an exchange of heartbeats. */
const takeoverIntervals = { serve: 2.5, fence: 3.5 }

export function plannedLife(seed: number): Verdict {
  return new PlannedLife(seed).run()
}

class PlannedLife {
  readonly #seed: number
  readonly #simulation: Simulation
  readonly #story: string[] = []
  readonly #kills: boolean
  /** When some were killed. */
  readonly #killedAt: number[] = []

  constructor(seed: number) {
    this.#seed = seed
    this.#simulation = new Simulation(seed, worldOf(seed))
    this.#simulation.observer.watchesMoves = false
    this.#kills = seed % 3 === 2
  }

  run(): Verdict {
    const { nodes, random, world, observer, queue } = this.#simulation
    this.#tell(JSON.stringify(world))
    for (const node of nodes) queue.at(random.between(0, 250), () => this.#simulation.start(node))
    this.#simulation.run(4500)
    observer.watchSilence()
    const end = queue.now + 12_000
    this.#update(end)
    // As two nodes that are drained at once.
    const spare = world.partition === 'fence' ? 4 : 3
    if (nodes.length > spare && !this.#kills && random.chance(0.3)) this.#update(end)
    this.#spread(end)
    if (random.chance(0.5)) this.#choose(end)
    this.#simulation.run(end - queue.now + 8000)
    for (const { address, ms, until } of observer.silences)
      if (this.#isTooLong(ms, until))
        observer.note(`${textOf(address)} was silent for ${Math.round(ms)} ms until ${Math.round(until)} ms`)
    const [near] = nodes
    // One may be on its way just now.
    if (near !== undefined && !observer.converged(near))
      this.#simulation.run(exchanges * 2 * world.delayMs[1])
    if (near === undefined || !observer.converged(near))
      observer.note('not every address has one owner in the end')
    return { seed: this.#seed, violations: observer.violations, moves: observer.moves, story: this.#story }
  }

  #isTooLong(ms: number, until: number): boolean {
    const { timing, delayMs, partition } = this.#simulation.world
    const planned = exchanges * 2 * delayMs[1] + 3
    const killedAt = this.#killedAt.findLast((at) => at < until)
    if (killedAt === undefined) return ms > planned
    const takeover = timing.intervalMs * (timing.misses + takeoverIntervals[partition]) + planned
    return ms > planned && until - Math.max(until - ms, killedAt) > takeover
  }

  /** Every speaker in turn, as a DaemonSet does it, or one of them again and again. */
  #update(end: number): void {
    const { nodes, random, queue } = this.#simulation
    const order = random.chance(0.5) ? nodes : nodes.toReversed()
    const next = (i: number): void => {
      const node = order[i % order.length]
      if (node === undefined || queue.now > end) return
      // Not one that the other updates.
      if (node.core?.state !== 'serving') return next(i + 1)
      this.#stop(node, () => {
        // What nobody planned is over before the next one is stopped.
        const least = this.#kills ? 1500 : 0
        queue.at(queue.now + random.between(300, 2500), () => {
          this.#tell(`${node.name} started`)
          this.#simulation.start(node)
          this.#whenServing(node, () =>
            queue.at(queue.now + random.between(least, least + 600), () => next(i + 1)),
          )
        })
      })
    }
    queue.at(queue.now + random.between(0, 2000), () => next(random.whole(0, order.length - 1)))
  }

  #whenServing(node: VirtualNode, then: () => void): void {
    const { queue } = this.#simulation
    if (node.core?.state === 'serving' && !node.core.suspended) return then()
    queue.at(queue.now + 20, () => this.#whenServing(node, then))
  }

  /** As the announcer does. */
  #stop(node: VirtualNode, then: () => void): void {
    const { queue, random } = this.#simulation
    if (this.#kills && random.chance(0.4)) {
      this.#tell(`${node.name} killed`)
      node.kill()
      this.#killedAt.push(queue.now)
      return then()
    }
    this.#tell(`${node.name} leaves`)
    node.leave()
    const until = queue.now + handOverMs
    const look = (): void => {
      if (node.core?.isHandingOver(queue.now) === true && queue.now < until)
        return queue.at(queue.now + handOverLookMs, look)
      this.#tell(`${node.name} departs`)
      node.depart()
      then()
    }
    look()
  }

  #spread(end: number): void {
    const { nodes, random, queue } = this.#simulation
    for (let at = queue.now + random.between(0, 1500); at < end; at += random.between(200, 3000))
      queue.at(at, () => {
        const node = random.pick(nodes)
        this.#tell(`${node.name} is asked to spread`)
        node.act((core) => core.rebalance())
      })
  }

  /** Advertisements choose one node, and later all again; each speaker hears of it in its own time. */
  #choose(end: number): void {
    const { nodes, random, queue } = this.#simulation
    for (let at = queue.now + random.between(0, 2000); at < end; at += random.between(500, 4000)) {
      const only = random.chance(0.5) ? undefined : random.pick(nodes).name
      queue.at(at, () => {
        this.#tell(only === undefined ? 'all may own' : `only ${only} is preferred`)
        for (const { key, unit } of this.#simulation.desired) {
          const candidates = this.#simulation.candidates.map(({ node }) => ({
            node,
            weight: node === only ? 1 : 0,
          }))
          this.#simulation.desire({ key, unit, candidates })
        }
      })
    }
  }

  #tell(what: string): void {
    this.#story.push(`${Math.round(this.#simulation.queue.now)} ms: ${what}`)
  }
}

function worldOf(seed: number): World {
  const pick = <T>(items: readonly T[], by: number): T =>
    items[Math.floor(seed / by) % items.length] ?? pick(items, 1)
  const partition = pick(['serve', 'serve', 'fence'] as const, 7)
  // With the majority of two or of three none may be away.
  const least = partition === 'fence' ? 4 : 2
  return {
    nodes: Math.floor(seed / 13) % 25 === 24 ? 12 : least + (Math.floor(seed / 3) % 3),
    addresses: pick([1, 6, 12], 2),
    timing: pick(paces, 5),
    partition,
    loss: 0,
    delayMs: pick([[0.1, 0.6] as const, [0.1, 8] as const], 11),
  }
}
