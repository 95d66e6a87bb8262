/** Every speaker in turn hands over, ends and comes back: for how long does nobody answer, and do two ever? */
import { expect, test } from 'vitest'
import { lan, Simulation, type World } from './simulation.ts'
import type { VirtualNode } from './virtual-node.ts'

const three: World = { ...lan, nodes: 3, addresses: 12 }
const stepMs = 0.5
/** As the announcer's. */
const handOverMs = 1000
const slow = { timeout: 120_000 }

class RollingUpdate {
  readonly #simulation: Simulation
  readonly #stallMs: number
  readonly #silentSince = new Map<string, number>()
  longestSilence = 0

  /** `stallMs`: every process stands still now and then, for so long at most. */
  constructor(seed: number, world: World, stallMs: number) {
    this.#simulation = new Simulation(seed, world)
    this.#stallMs = stallMs
  }

  get violations(): readonly string[] {
    return this.#simulation.observer.violations
  }

  run(): void {
    const { nodes, random } = this.#simulation
    for (const node of nodes) this.#simulation.start(node)
    this.#simulation.run(2500)
    // From either end: whoever coordinates goes first, or last.
    for (const node of random.chance(0.5) ? nodes : nodes.toReversed()) {
      this.#stall()
      this.#end(node)
      this.#pass(random.between(500, 2500))
      this.#simulation.start(node)
      this.#pass(2000)
    }
  }

  /** As the announcer does; a process that stands still does nothing. */
  #end(node: VirtualNode): void {
    const { queue } = this.#simulation
    while (node.frozen) this.#pass(stepMs)
    node.leave()
    const until = queue.now + handOverMs
    while (node.core?.isHandingOver(queue.now) === true && queue.now < until) this.#pass(stepMs)
    while (node.frozen) this.#pass(stepMs)
    node.depart()
  }

  #stall(): void {
    const { queue, random, nodes } = this.#simulation
    if (this.#stallMs === 0) return
    for (const node of nodes)
      for (let i = 0; i < 10; i++) {
        const at = queue.now + random.between(0, 3000)
        queue.at(at, () => node.running && node.freeze())
        queue.at(at + random.between(1, this.#stallMs), () => node.thaw())
      }
  }

  #pass(ms: number): void {
    const { queue, desired, nodes, observer } = this.#simulation
    for (const end = queue.now + ms; queue.now < end; ) {
      this.#simulation.run(stepMs)
      for (const { key } of desired) {
        if (!nodes.some((node) => observer.answers(node, key))) {
          if (!this.#silentSince.has(key)) this.#silentSince.set(key, queue.now)
          continue
        }
        const since = this.#silentSince.get(key) ?? queue.now
        this.longestSilence = Math.max(this.longestSilence, queue.now - since)
        this.#silentSince.delete(key)
      }
    }
  }
}

test.each([
  { what: 'on a LAN', world: three, stallMs: 0, limitMs: 3 },
  { what: 'on a slow one', world: { ...three, delayMs: [0.1, 8] as const }, stallMs: 0, limitMs: 24 },
  // An order goes out again after half an interval; what stands still answers nothing meanwhile anyway.
  { what: 'that loses messages', world: { ...three, loss: 0.05 }, stallMs: 0, limitMs: 160 },
  { what: 'with processes that stall for 100 ms', world: three, stallMs: 100, limitMs: 210 },
])('a rolling update $what: silence is that of the messages, and of the stalls', slow, (o) => {
  for (let seed = 0; seed < 8; seed++) {
    const update = new RollingUpdate(seed, o.world, o.stallMs)
    update.run()
    expect(update.violations, `seed ${seed}`).toEqual([])
    expect(update.longestSilence, `seed ${seed}`).toBeLessThanOrEqual(o.limitMs)
  }
})
