/** Each part falls once under load: what is lost stays small, service comes back, no address ever changes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { measure, type Outage, outages, provideExample } from '../drill/outages.ts'
import { outageTable } from '../drill/report.ts'
import { scenarioLab } from './site.ts'

const lab = scenarioLab()

/**
 * Requests of one client that may stay without an answer. Only the fall of an Envoy takes open connections with it,
 * and refuses new ones until its node is left out; a changed set of next hops can move an open connection.
 */
const mayLose: Readonly<Record<Outage['name'], number>> = {
  speaker: 10,
  controller: 0,
  serve: 0,
  envoy: 250,
  apiserver: 0,
}

/** Without its Envoy a node is no place to send to: another one answers. A speaker may be back before it is missed. */
const movesAddress: Readonly<Record<Outage['name'], readonly boolean[]>> = {
  speaker: [true, false],
  controller: [false],
  serve: [false],
  envoy: [true],
  apiserver: [false],
}

describe('when a part falls', () => {
  beforeAll(() => provideExample(lab))

  afterAll(() => lab.kubectl(['delete', 'namespace', 'hello', '--wait=false']))

  it.each(outages)('few requests are lost, routes and addresses stay: $what', async (outage) => {
    const measured = await measure(lab, outage)
    process.stdout.write(`\n${outageTable([measured])}`)
    for (const { result, gapMs } of measured.shares) {
      expect(result.sent).toBeGreaterThanOrEqual(200)
      expect(result.lost.length).toBeLessThanOrEqual(mayLose[outage.name])
      expect(result.answered).toBe(result.sent - result.lost.length)
      expect(gapMs).toBeLessThan(10_000)
    }
    expect(measured.routesLost).toBe(0)
    expect(measured.arpMs).toBeLessThan(10_000)
    expect(movesAddress[outage.name]).toContain(measured.macs.length > 1)
    expect(Object.keys(measured.before)).toContain('projectcontour/envoy')
    expect(measured.after).toEqual(measured.before)
  })
})
