/**
 * `node main.ts FIRST COUNT`: that many seeds, of each a random life and one of planned moves. A line of JSON for each that
 * broke a promise, one each hundred seeds for the progress, and at the end what heartbeats of 100 members cost.
 */
import { chaos } from './chaos.ts'
import { plannedLife } from './planned-life.ts'
import { lan, nameOf, Simulation } from './simulation.ts'

const tell = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)
const [first = 0, count = 100] = process.argv.slice(2).map(Number)

for (let done = 0; done < count; done++) {
  for (const { seed, violations, story } of [chaos(first + done), plannedLife(first + done)])
    if (violations.length > 0) tell({ kind: 'broken', seed, violations, story })
  if ((done + 1) % 100 === 0 || done + 1 === count) tell({ kind: 'done', count: (done % 100) + 1 })
}

/** Sent in one second by the first, a hub, and by the last. */
const simulation = new Simulation(1, {
  ...lan,
  nodes: 100,
  addresses: 100,
})
for (const node of simulation.nodes) simulation.start(node)
simulation.run(2500)
simulation.measuresTraffic = true
simulation.run(1000)
const [hub, member] = [nameOf(0), nameOf(99)].map((name) => simulation.traffic.get(name))
tell({ kind: 'traffic', hub, member })
