/** Owners of addresses are lost and replaced: what is counted here is judged, its times are by `npm run drill -- layer2`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kill } from '../drill/layer2/kills.ts'
import { freeze, linkCut, lose } from '../drill/layer2/loss.ts'
import { lossless, rollingUpdate } from '../drill/layer2/moves.ts'
import type { Trial } from '../drill/layer2/part.ts'
import { namespace, type Site, siteOn, whileWatched } from '../drill/layer2/site.ts'
import type { SegmentWatch } from '../segment/watch.ts'
import { scenarioLab } from './site.ts'

const lab = scenarioLab()
const times = [1, 2, 3]
/** Ten times what a drill accepts. */
const deadlineMs = 15_000

describe('when the owner of an address', () => {
  let site: Site

  beforeAll(async () => {
    site = await siteOn(lab, 1)
  })

  afterAll(() => lab.kubectl(['delete', 'namespace', namespace, '--wait=false']))

  it.each(times)('loses its link, another one answers, and one of them when it is back (%i)', async () => {
    const cut = linkCut('link cut', false, { lastsMs: 1500, afterMs: 1500 })
    const { gapMs, figures } = await counted((watch) => lose(site, watch, cut, '', () => {}))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({ conflicts: 0, 'not one owner after return': 0 })
  })

  it.each(times)('freezes, another one answers, and it stays silent when it wakes (%i)', async () => {
    const frozen = freeze('node frozen', { lastsMs: 2500, afterMs: 1500 })
    const { gapMs, figures } = await counted((watch) => lose(site, watch, frozen, '', () => {}))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({
      conflicts: 0,
      'claims by the returned': 0,
      'not one owner after return': 0,
    })
  })

  it.each(times)('is killed, no request is lost and the address is answered for again (%i)', async () => {
    const { gapMs, figures } = await counted((watch) => kill(site, watch, '', 'owner', () => {}))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({ conflicts: 0, lost: 0 })
  })

  it('is replaced, as each is in a rolling update, no request is lost', async () => {
    const update = { what: 'rolling update', services: site.services, work: rollingUpdate }
    const { figures } = await counted((watch) => lossless(site, watch, update, () => {}))
    expect(figures).toMatchObject({ relapses: 0, lost: 0 })
    expect(figures['sent']).toBeGreaterThan(500)
  })

  function counted(trial: (watch: SegmentWatch) => ReturnType<Trial>): ReturnType<Trial> {
    return whileWatched(site, trial)
  }
})
