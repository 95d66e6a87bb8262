/** Single links are broken, as by a firewall rule: everyone is of one side still, and one coordinates. */
import { expect, test } from 'vitest'
import { Random } from '../../random.ts'
import { type Broken, lan, Simulation } from './simulation.ts'

/** Under whatever load of others. */
const slow = { timeout: 120_000 }

type Linked = (a: number, b: number) => boolean

/** All hear each other until then. */
function cutTo(linked: Linked, nodes: number, seed: number, broken?: Broken): Simulation {
  const simulation = new Simulation(seed, { ...lan, nodes, addresses: 8 }, broken)
  simulation.observer.watchesMoves = false
  for (const node of simulation.nodes) simulation.start(node)
  simulation.run(2500)
  cut(simulation, linked)
  return simulation
}

function cut(simulation: Simulation, linked: Linked): void {
  for (const [a, { name }] of simulation.nodes.entries())
    for (const [b, other] of simulation.nodes.entries())
      if (a < b && !linked(a, b)) simulation.cut(name, other.name)
}

/** Each node that leads, with its epoch. */
function reigns({ nodes }: Simulation): readonly string[] {
  return nodes.flatMap(({ name, core }) =>
    core?.following.coordinator === name ? [`${name} ${core.following.epoch}`] : [],
  )
}

/** What is otherwise than that those whom the first hears, and itself, have everything, and nobody else anything. */
function wrongIn(simulation: Simulation, linked: Linked): readonly string[] {
  const { nodes, observer, desired } = simulation
  const before = reigns(simulation)
  simulation.run(3000)
  const wrong = [...observer.violations]
  if (before.length !== 1 || before[0]?.startsWith(`${nodes[0]?.name} `) !== true)
    wrong.push(`${before.join()} lead`)
  if (reigns(simulation).join() !== before.join()) wrong.push(`${reigns(simulation).join()} lead then`)
  const near = nodes.filter((_, i) => i === 0 || linked(0, i)).map(({ name }) => name)
  for (const { key, unit } of desired) {
    const owners = nodes.filter((node) => observer.answers(node, key)).map(({ name }) => name)
    if (owners.length !== 1 || !near.includes(owners[0] ?? '')) wrong.push(`${unit} has ${owners.join()}`)
  }
  return wrong
}

const neighbours: Linked = (a, b) => Math.abs(a - b) === 1

/** A tree, and some links more. */
function randomLinks(nodes: number, random: Random): Linked {
  const links = new Set<string>()
  for (let i = 1; i < nodes; i++) links.add(`${random.whole(0, i - 1)} ${i}`)
  for (let more = random.whole(0, nodes); more > 0; more--)
    links.add([random.whole(0, nodes - 1), random.whole(0, nodes - 1)].toSorted((a, b) => a - b).join(' '))
  const places = Array.from({ length: nodes }, (_, i) => i)
  for (let i = nodes - 1; i > 0; i--) {
    const j = random.whole(0, i)
    const moved = places[i] ?? i
    places[i] = places[j] ?? j
    places[j] = moved
  }
  return (a, b) => links.has([places[a] ?? a, places[b] ?? b].toSorted((x, y) => x - y).join(' '))
}

test(
  'whatever links are left, the first coordinates, by one epoch, and only who hears it announces',
  slow,
  () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Random(seed)
      const nodes = random.whole(3, 9)
      const linked = randomLinks(nodes, random)
      const simulation = cutTo(linked, nodes, seed)
      simulation.run(4000)
      expect(wrongIn(simulation, linked), `seed ${seed}`).toEqual([])
      const gone = random.pick(simulation.nodes)
      gone.kill()
      simulation.run(random.between(200, 4000))
      simulation.start(gone)
      simulation.run(5000)
      expect(wrongIn(simulation, linked), `seed ${seed}, after ${gone.name} was away`).toEqual([])
    }
  },
)

test.each([4, 5, 6, 7, 8])('a chain of %d', slow, (nodes) => {
  for (let seed = 1; seed <= 5; seed++) {
    const simulation = cutTo(neighbours, nodes, seed)
    simulation.run(4000)
    expect(wrongIn(simulation, neighbours), `seed ${seed}`).toEqual([])
  }
})

test('of a ring the first dies: the next takes over within the same time as ever', slow, () => {
  const ring: Linked = (a, b) => b - a === 1 || b - a === 5
  for (let seed = 1; seed <= 20; seed++) {
    const simulation = cutTo(ring, 6, seed)
    simulation.run(4000)
    simulation.nodes[0]?.kill()
    simulation.run(lan.timing.intervalMs * (lan.timing.misses + 2))
    const [, second, third] = simulation.nodes
    expect(second?.core?.following.coordinator, `seed ${seed}`).toBe(second?.name)
    expect(third?.core?.following, `seed ${seed}`).toEqual(second?.core?.following)
    simulation.run(2000)
    expect(reigns(simulation), `seed ${seed}`).toHaveLength(1)
    expect(simulation.observer.violations, `seed ${seed}`).toEqual([])
  }
})

/** Two sides, each with one that coordinates, are joined by one link, and all are a chain. */
function sidesThatMeet(nodes: number, broken?: Broken): Simulation {
  const simulation = cutTo(() => true, nodes, 1, broken)
  simulation.split((_, index) => (index < nodes / 2 ? 0 : 1))
  simulation.run(3000)
  simulation.heal()
  cut(simulation, neighbours)
  simulation.run(3000)
  return simulation
}

test.each([4, 6, 8])('two sides that become a chain of %d have one owner of each address', slow, (nodes) => {
  expect(wrongIn(sidesThatMeet(nodes), neighbours)).toEqual([])
})

test('two that answered already when their sides were joined, and go on, are noticed', () => {
  const { violations } = sidesThatMeet(4, 'noHearsay').observer
  expect(violations[0]).toMatch(/is still answered by n00[12] and n00[34]/)
})
