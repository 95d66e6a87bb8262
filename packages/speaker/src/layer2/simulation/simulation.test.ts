import { describe, expect, test } from 'vitest'
import type { AddressKey } from '../codec/ethernet.ts'
import type { PartitionPolicy } from '../core/fence.ts'
import { chaos } from './chaos.ts'
import { type Broken, keyOf, lan, nameOf, Simulation } from './simulation.ts'

const seeds = 300
const first = 0
/** Under whatever load of others. */
const slow = { timeout: 120_000 }

test(`${seeds} random lives keep every promise`, slow, () => {
  process.stdout.write(`layer 2 simulation: seeds ${first} to ${first + seeds - 1}\n`)
  for (let seed = first; seed < first + seeds; seed++) {
    const { violations, story } = chaos(seed)
    expect(violations, `seed ${seed}\n${story.join('\n')}`).toEqual([])
  }
})

/**
 * In the first two, single links were broken, and two coordinated who did not hear each other. In the third one that knew
 * of old what a coordinator had held took it for lost when that one left, while another had it. Then more of the first kind,
 * some over several hops; in the last but one what a node held that had been away for long was preferred; in the last all
 * hubs of twelve died together.
 */
const once = [1537, 4191, 2914, 383, 3474, 6787, 8098, 8218, 10660, 11153, 12314, 13300, 13930, 12365, 316]
test.each(once)('seed %d, which broke a promise once, keeps it', slow, (seed) => {
  expect(chaos(seed).violations).toEqual([])
})

test('the same seed tells the same story', slow, () => {
  expect(chaos(7)).toEqual(chaos(7))
})

describe('a broken rule is noticed', () => {
  const rules: readonly Broken[] = [
    'noFence',
    'earlyTakeover',
    'noStickiness',
    'lateRelease',
    'unevenPlacement',
  ]
  test.each(rules)('%s', slow, (broken) => {
    const found = Array.from({ length: 40 }, (_, seed) => chaos(seed, broken)).filter(
      ({ violations }) => violations.length > 0,
    )
    expect(found.length).toBeGreaterThan(0)
  })
})

function settled(
  nodes: number,
  addresses: number,
  seed = 1,
  partition: PartitionPolicy = 'serve',
): Simulation {
  const simulation = new Simulation(seed, { ...lan, nodes, addresses, partition })
  for (const node of simulation.nodes) simulation.start(node)
  simulation.run(2500)
  return simulation
}

function loads(simulation: Simulation, near: string): readonly number[] {
  return [...simulation.observer.loads(simulation.node(near)).values()]
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers)
}

describe.each([3, 5, 7])('250 addresses on %d nodes', (nodes) => {
  test('are spread evenly; removal moves what was lost, return nothing, rebalance at last', slow, () => {
    const simulation = settled(nodes, 250)
    const { observer } = simulation
    const near = nameOf(0)
    expect(spread(loads(simulation, near))).toBeLessThanOrEqual(1)
    const gone = simulation.node(nameOf(nodes - 1))
    const lost = observer.loads(simulation.node(near)).get(gone.name)
    gone.kill()
    simulation.run(2000)
    expect(observer.moves).toBe(lost)
    expect(spread(loads(simulation, near))).toBeLessThanOrEqual(1)
    simulation.start(gone)
    simulation.run(3000)
    expect([observer.moves, observer.loads(gone).get(gone.name)]).toEqual([lost, 0])
    observer.watchesMoves = false
    // Any of them passes it on to the coordinator.
    simulation.node(nameOf(1)).act((core) => core.rebalance())
    simulation.run(1100)
    expect(observer.moves).toBeLessThanOrEqual((lost ?? 0) + 2)
    simulation.run(100_000)
    expect(spread(loads(simulation, near))).toBeLessThanOrEqual(1)
    expect(observer.violations).toEqual([])
  })
})

test('who passed on a wish to rebalance does not rebalance when it comes to coordinate', slow, () => {
  const simulation = settled(5, 30)
  const { observer } = simulation
  observer.watchesMoves = false
  const loseAndReturn = (): void => {
    const gone = [3, 4].map((index) => simulation.node(nameOf(index)))
    for (const node of gone) node.kill()
    simulation.run(2000)
    for (const node of gone) simulation.start(node)
    simulation.run(3000)
  }
  loseAndReturn()
  expect(loads(simulation, nameOf(0))).toEqual([10, 10, 10, 0, 0])
  simulation.node(nameOf(1)).act((core) => core.rebalance())
  simulation.run(30_000)
  expect(loads(simulation, nameOf(0))).toEqual([6, 6, 6, 6, 6])
  loseAndReturn()
  simulation.node(nameOf(0)).kill()
  simulation.run(30_000)
  expect(loads(simulation, nameOf(1))).toEqual([10, 10, 5, 5])
})

test(
  'two sides that hear each other again have one owner of each address by the next heartbeat',
  slow,
  () => {
    for (let seed = 1; seed <= 20; seed++) {
      const simulation = settled(3, 12, seed)
      const [first, , last] = simulation.nodes.map(({ name }) => name)
      simulation.split((node) => (node === (seed % 2 === 0 ? first : last) ? 1 : 0))
      simulation.run(3000)
      simulation.heal()
      simulation.run(lan.timing.intervalMs + 8)
      expect(simulation.observer.converged(simulation.node(nameOf(0))), `seed ${seed}`).toBe(true)
    }
  },
)

test.each([3, 5, 8])(
  'what the larger part of %d nodes holds stays there when the rest comes back',
  slow,
  (nodes) => {
    for (let seed = 1; seed <= 20; seed++) {
      const simulation = settled(nodes, 24, seed)
      const { observer } = simulation
      observer.watchesMoves = false
      const away = new Set(
        Array.from({ length: Math.ceil(nodes / 2) - 1 }, (_, i) => nameOf((seed + i) % nodes)),
      )
      const near = simulation.nodes.find(({ name }) => !away.has(name)) ?? simulation.node(nameOf(0))
      const owners = () => simulation.desired.map(({ key }) => observer.ownersOf(key, near).join())
      simulation.split((node) => (away.has(node) ? 1 : 0))
      simulation.run(3000)
      const before = owners()
      simulation.heal()
      simulation.run(2000)
      expect(owners(), `seed ${seed}`).toEqual(before)
    }
  },
)

test.each([
  [3, 3000],
  [5, 15_000],
])(
  'of %d nodes the first is fenced off for %d ms and comes back: nothing moves, and no two answer at any time',
  slow,
  (nodes, awayMs) => {
    for (let seed = 1; seed <= 20; seed++) {
      const simulation = settled(nodes, 2 * nodes, seed, 'fence')
      simulation.run(seed * 13)
      const { desired, observer } = simulation
      const owners = (key: AddressKey) =>
        simulation.nodes.filter((node) => observer.answers(node, key)).map(({ name }) => name)
      const shared = new Set<string>()
      const watch = (ms: number): void => {
        for (let done = 0; done < ms; done += 5) {
          simulation.run(5)
          for (const { key, unit } of desired) if (owners(key).length > 1) shared.add(unit)
        }
      }
      simulation.split((_, index) => (index === 0 ? 1 : 0))
      watch(awayMs)
      const before = desired.map(({ key }) => owners(key))
      simulation.heal()
      watch(1500)
      const after = desired.map(({ key }) => owners(key))
      expect([[...shared], after], `seed ${seed}`).toEqual([[], before])
    }
  },
)

test.each([3, 12])(
  'of %d nodes the coordinator dies: what it held is taken over at once, what others hold is answered for throughout',
  slow,
  (nodes) => {
    for (let seed = 1; seed <= 6; seed++) {
      const simulation = settled(nodes, nodes, seed)
      const { observer } = simulation
      simulation.run(seed * 10)
      const near = simulation.node(nameOf(1))
      const lost = simulation.desired.filter(({ key }) => observer.ownersOf(key, near).includes(nameOf(0)))
      simulation.node(nameOf(0)).kill()
      const silent: string[] = []
      for (let ms = 0; ms < 760; ms += 5) {
        simulation.run(5)
        for (const { key, unit } of simulation.desired)
          if (!lost.some((one) => one.key === key) && observer.ownersOf(key, near).length !== 1)
            silent.push(`${unit} after ${ms} ms`)
      }
      expect([silent, observer.converged(near)], `seed ${seed}`).toEqual([[], true])
    }
  },
)

test.each([12, 30])(
  'of %d nodes the three that all beat to die together: the rest answer throughout, and soon for everything',
  slow,
  (nodes) => {
    for (let seed = 1; seed <= 6; seed++) {
      const simulation = settled(nodes, nodes, seed)
      const { observer, desired } = simulation
      simulation.run(seed * 17)
      const [dead, living] = [simulation.nodes.slice(0, 3), simulation.node(nameOf(nodes - 1))]
      const names = dead.map(({ name }) => name)
      const kept = desired.filter(({ key }) => !names.includes(observer.ownersOf(key, living)[0] ?? ''))
      for (const node of dead) node.kill()
      const silent = new Set<string>()
      const { intervalMs, misses } = lan.timing
      for (let ms = 0; ms < intervalMs * (misses + 3); ms += 5) {
        simulation.run(5)
        for (const { key, unit } of kept) if (observer.ownersOf(key, living).length !== 1) silent.add(unit)
      }
      expect([[...silent], observer.converged(living)], `seed ${seed}`).toEqual([[], true])
      for (const node of dead) simulation.start(node)
      simulation.run(3000)
      expect([observer.converged(living), observer.violations], `seed ${seed}`).toEqual([true, []])
    }
  },
)

test('who has no API server neither coordinates nor is given anything while others have one', slow, () => {
  const simulation = settled(4, 8)
  const { observer, candidates } = simulation
  observer.watchesMoves = false
  const [coordinator, second, third] = [0, 1, 2].map((index) => simulation.node(nameOf(index)))
  coordinator?.setBlind(true)
  second?.setBlind(true)
  simulation.run(200)
  const near = simulation.node(nameOf(3))
  const before = simulation.desired.map(({ key }) => observer.ownersOf(key, near))
  expect(near.core?.following.coordinator).toBe(third?.name)
  for (let i = 8; i < 12; i++) simulation.desire({ key: keyOf(i), unit: `u${i}`, candidates })
  simulation.run(200)
  const owners = simulation.desired.map(({ key }) => observer.ownersOf(key, near))
  expect(owners.slice(0, 8)).toEqual(before)
  expect(owners.slice(8).flat().toSorted()).toEqual([nameOf(2), nameOf(2), nameOf(3), nameOf(3)])
  for (const node of simulation.nodes) node.setBlind(true)
  simulation.run(300)
  expect(near.core?.following.coordinator).toBe(coordinator?.name)
  expect(observer.violations).toEqual([])
})

test.each([4, 5])('of %d nodes those at the ends of a chain do not both coordinate', slow, (count) => {
  for (let seed = 1; seed <= 20; seed++) {
    const simulation = settled(count, 8, seed)
    const { nodes, observer } = simulation
    observer.watchesMoves = false
    const [first, ...others] = nodes.map(({ name }) => name)
    // The first hears the last alone.
    for (const other of others.slice(0, -1)) simulation.cut(first ?? '', other)
    simulation.node(first ?? '').kill()
    simulation.run(seed * 97)
    simulation.start(simulation.node(first ?? ''))
    simulation.run(5000)
    expect(observer.violations, `seed ${seed}`).toEqual([])
    const leaders = nodes.filter(({ core, name }) => core?.following.coordinator === name)
    expect(
      leaders.map(({ name }) => name),
      `seed ${seed}`,
    ).toEqual([first])
    simulation.heal()
    simulation.run(3000)
    expect(observer.converged(simulation.node(nameOf(1))), `seed ${seed}`).toBe(true)
  }
})

test('a node that the others have not listed yet answers for nothing', slow, () => {
  const simulation = new Simulation(1, { ...lan, nodes: 4, addresses: 8 })
  const { nodes, observer } = simulation
  const last = simulation.node(nameOf(3))
  simulation.list(last.name, false)
  for (const node of nodes.filter((one) => one !== last)) simulation.start(node)
  simulation.run(2500)
  simulation.start(last)
  simulation.run(5000)
  expect(observer.violations).toEqual([])
  expect(observer.loads(last).get(last.name)).toBe(0)
  simulation.list(last.name, true)
  simulation.run(1000)
  expect(last.core?.following).toEqual(nodes[0]?.core?.following)
})

test('a rollout from no key to one: who has the key waits until the last without is gone', slow, () => {
  for (let seed = 1; seed <= 20; seed++) {
    const simulation = settled(4, 8, seed)
    const { nodes, observer, random } = simulation
    for (const node of random.chance(0.5) ? nodes : nodes.toReversed()) {
      node.leave()
      simulation.run(50)
      node.depart()
      simulation.run(random.between(300, 2000))
      node.key = 'new'
      simulation.start(node)
      simulation.run(2000)
      // Else a rolling update would wait for ever.
      expect([node.core?.state, node.core?.suspended], `seed ${seed}`).toEqual(['serving', false])
    }
    expect(observer.violations, `seed ${seed}`).toEqual([])
    expect(observer.converged(simulation.node(nameOf(0))), `seed ${seed}`).toBe(true)
  }
})

test('5,000 addresses are taken over in parts, by one who did not hold them', slow, () => {
  const simulation = settled(2, 5000)
  simulation.node(nameOf(0)).kill()
  simulation.run(1100)
  expect(loads(simulation, nameOf(1))).toEqual([5000])
  expect(simulation.observer.violations).toEqual([])
})

test('most of 40 members send little, and the first three answer all', slow, () => {
  const simulation = settled(40, 40)
  simulation.measuresTraffic = true
  simulation.run(1000)
  const sent = [...simulation.traffic].map(([node, { messages }]) => ({ node, messages }))
  const hubs = sent.filter(({ messages }) => messages > 50)
  expect(hubs.map(({ node }) => node).toSorted()).toEqual([nameOf(0), nameOf(1), nameOf(2)])
  const most = (all: typeof sent): number => Math.max(...all.map(({ messages }) => messages))
  // A reply to each member, and heartbeats among the hubs.
  expect(most(hubs)).toBeLessThan(40 * 10 * 1.2)
  expect(most(sent.filter((one) => !hubs.includes(one)))).toBeLessThanOrEqual(40)
})

test('one of many members that stood still for a moment does not beat to all', slow, () => {
  const simulation = settled(20, 20)
  simulation.measuresTraffic = true
  const member = simulation.node(nameOf(19))
  for (const stall of [60, 110, 120, 170, 240]) {
    simulation.run(210)
    member.freeze()
    simulation.run(stall)
    simulation.traffic.clear()
    member.thaw()
    simulation.run(50)
    const { messages } = simulation.traffic.get(member.name) ?? { messages: 0 }
    // At most a heartbeat to each hub, and answers to theirs.
    expect(messages, `${stall} ms`).toBeLessThan(15)
  }
})
