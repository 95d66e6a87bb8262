import { describe, expect, test } from 'vitest'
import { chaos } from './chaos.ts'
import { type Broken, nameOf, Simulation } from './simulation.ts'

const lan = {
  timing: { intervalMs: 100, misses: 6 },
  partition: 'serve',
  loss: 0,
  delayMs: [0.1, 0.6],
} as const
const seeds = 300
const first = 0

test(`${seeds} random lives keep every promise`, { timeout: 120_000 }, () => {
  process.stdout.write(`layer 2 simulation: seeds ${first} to ${first + seeds - 1}\n`)
  for (let seed = first; seed < first + seeds; seed++) {
    const { violations, story } = chaos(seed)
    expect(violations, `seed ${seed}\n${story.join('\n')}`).toEqual([])
  }
})

test('the same seed tells the same story', () => {
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
  test.each(rules)('%s', { timeout: 60_000 }, (broken) => {
    const found = Array.from({ length: 40 }, (_, seed) => chaos(seed, broken)).filter(
      ({ violations }) => violations.length > 0,
    )
    expect(found.length).toBeGreaterThan(0)
  })
})

function settled(nodes: number, addresses: number): Simulation {
  const simulation = new Simulation(1, { ...lan, nodes, addresses })
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
  test('are spread evenly; removal moves exactly what was lost, return nothing, rebalance at last', () => {
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
    simulation.node(near).act((core) => core.rebalance())
    simulation.run(1100)
    expect(observer.moves).toBeLessThanOrEqual((lost ?? 0) + 2)
    simulation.run(100_000)
    expect(spread(loads(simulation, near))).toBeLessThanOrEqual(1)
    expect(observer.violations).toEqual([])
  })
})

test('5,000 addresses are taken over in parts, by one who did not hold them', () => {
  const simulation = settled(2, 5000)
  simulation.node(nameOf(0)).kill()
  simulation.run(1100)
  expect(loads(simulation, nameOf(1))).toEqual([5000])
  expect(simulation.observer.violations).toEqual([])
})

test('heartbeats of 100 members cost most of them little, and the hubs a bounded share', {
  timeout: 60_000,
}, () => {
  const simulation = settled(100, 100)
  simulation.measuresTraffic = true
  simulation.run(1000)
  const perSecond = [...simulation.traffic].map(([node, { messages, bytes }]) => ({
    node,
    messages,
    bytes,
  }))
  const [hubs, rest] = [
    perSecond.filter(({ messages }) => messages > 100),
    perSecond.filter((one) => one.messages <= 100),
  ]
  const most = (all: typeof perSecond, of: 'messages' | 'bytes'): number =>
    Math.max(...all.map((one) => one[of]))
  process.stdout.write(
    `layer 2 traffic of 100 members, sent a second: a hub ${most(hubs, 'messages')} messages, ` +
      `${most(hubs, 'bytes')} bytes; any other ${most(rest, 'messages')} messages, ${most(rest, 'bytes')} bytes\n`,
  )
  expect(hubs.map(({ node }) => node).toSorted()).toEqual([nameOf(0), nameOf(1), nameOf(2)])
  expect(most(hubs, 'messages')).toBeLessThan(1300)
  expect(most(rest, 'messages')).toBeLessThanOrEqual(45)
})
