/**
 * `node turns.ts NODES ADDRESSES ROUNDS`: how long the turns of the core are when nodes die, return, freeze, fall apart
 * and leave. The same life is lived ROUNDS times; of each turn the shortest counts, so that what else the machine does
 * is left out. A line of JSON for each kind of turn, the longest first.
 */
import { lan, nameOf, Simulation } from './simulation.ts'

const [nodes = 3, addresses = 5000, rounds = 4] = process.argv.slice(2).map(Number)

interface Turn {
  readonly what: string
  readonly ms: number
}

function live(): readonly Turn[] {
  const turns: Turn[] = []
  const simulation = new Simulation(1, { ...lan, nodes, addresses })
  let phase = 'start'
  simulation.turn = (what, act) => {
    const start = performance.now()
    act()
    turns.push({ what: `${phase}: ${what}`, ms: performance.now() - start })
  }
  const [first, second, last] = [0, 1, nodes - 1].map((index) => simulation.node(nameOf(index)))
  const run = (next: string, ms: number, act: () => void): void => {
    phase = next
    act()
    simulation.run(ms)
  }
  run('start', 2500, () => simulation.nodes.forEach((node) => simulation.start(node)))
  run('last dies', 2500, () => last?.kill())
  run('last returns', 2500, () => last && simulation.start(last))
  run('coordinator dies', 2500, () => first?.kill())
  run('coordinator returns', 3000, () => first && simulation.start(first))
  run('rebalance', 3000, () => second?.act((core) => core.rebalance()))
  run('frozen', 3000, () => second?.freeze())
  run('thawed', 3000, () => second?.thaw())
  run('partition', 3000, () => simulation.split((_, index) => Math.min(index, 1)))
  run('healed', 5000, () => simulation.heal())
  run('leaves', 1500, () => second?.leave())
  return turns
}

const lives = Array.from({ length: rounds }, live)
const shortest = (lives[0] ?? []).map(({ what }, turn) => {
  return { what, ms: Math.min(...lives.map((turns) => turns[turn]?.ms ?? Number.POSITIVE_INFINITY)) }
})
const kinds = [...Map.groupBy(shortest, ({ what }) => what)]
  .map(([what, turns]) => ({ what, turns: turns.length, longestMs: Math.max(...turns.map(({ ms }) => ms)) }))
  .toSorted((a, b) => b.longestMs - a.longestMs)
for (const kind of kinds) process.stdout.write(`${JSON.stringify(kind)}\n`)
