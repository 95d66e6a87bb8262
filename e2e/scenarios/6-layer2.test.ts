/**
 * Owners of addresses are lost, moved and replaced, three times each: what is counted here is judged, its times are by
 * `npm run drill -- layer2`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kill } from '../drill/layer2/kills.ts'
import { freeze, linkCut, lose, unheard } from '../drill/layer2/loss.ts'
import { drained, lossless, rebalanced, rollingUpdate, withoutApi } from '../drill/layer2/moves.ts'
import {
  addressesOf,
  addSpeakerArgument,
  atRest,
  namespace,
  type Site,
  siteOn,
  speakersReady,
  system,
  whileWatched,
} from '../drill/layer2/site.ts'
import type { Trial } from '../drill/part.ts'
import type { SegmentWatch } from '../segment/watch.ts'
import { scenarioLab } from './site.ts'

const lab = scenarioLab()
const times = [1, 2, 3]
/** Ten times what a drill accepts. */
const deadlineMs = 15_000
const cut = linkCut('link cut', false, { lastsMs: 1500, afterMs: 1500 })
const frozen = freeze('node frozen', { lastsMs: 2500, afterMs: 1500 })
const nothingLost = { relapses: 0, lost: 0, complaints: [] }
const silent = (): void => {}

let site: Site

beforeAll(async () => {
  site = await siteOn(lab, 1)
})

afterAll(() => lab.kubectl(['delete', 'namespace', namespace, '--wait=false']))

describe.each(times)('when the owner of an address (%i)', () => {
  it('loses its link, another one answers, and one of them when it is back', async () => {
    const { gapMs, figures } = await counted((watch) => lose(site, watch, cut, '', silent))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({ conflicts: 0, 'not one owner after return': 0 })
  })

  it('freezes, another one answers, and it stays silent when it wakes', async () => {
    const { gapMs, figures } = await counted((watch) => lose(site, watch, frozen, '', silent))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({
      conflicts: 0,
      'claims by the returned': 0,
      'not one owner after return': 0,
    })
  })

  it('loses its link while the API server is away, another one answers', async () => {
    const outage = { cut, awayMs: 6000, heartbeat: '' }
    const { gapMs, figures } = await counted((watch) => withoutApi(site, watch, outage, silent))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({ conflicts: 0, 'not one owner after return': 0 })
  })

  it('is drained, no request is lost', async () => {
    const { figures, complaints } = await counted((watch) => drained(site, watch, 'ours', silent))
    expect({ ...figures, complaints }).toMatchObject(nothingLost)
    expect(figures['changes of owner']).toBeGreaterThan(0)
  })

  it('gives some up when they are spread anew, no request is lost', async () => {
    const { figures, complaints } = await counted((watch) => rebalanced(site, watch, 'begun', silent))
    expect({ ...figures, complaints }).toMatchObject(nothingLost)
    expect(figures['changes of owner']).toBeGreaterThan(0)
  })

  it('is replaced, as each is in a rolling update, no request is lost', async () => {
    const update = { ips: addressesOf(site.services), work: rollingUpdate }
    const { figures, complaints } = await counted(async (watch) => {
      // What was spread anew may still be on its way.
      await atRest(site, watch, addressesOf(site.services))
      return await lossless(site, watch, update, silent)
    })
    expect({ ...figures, complaints }).toMatchObject(nothingLost)
    expect(figures['changes of owner']).toBeGreaterThan(0)
    expect(figures['sent']).toBeGreaterThan(500)
  })

  // After the rolling update: a speaker that was killed once would not be started again at once.
  it.each(['coordinator', 'owner'] as const)('or the %s is killed, no request is lost', async (whom) => {
    const { gapMs = 0, ...seen } = await counted((watch) => kill(site, watch, '', whom, silent))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect({ ...seen.figures, complaints: seen.complaints }).toMatchObject({
      conflicts: 0,
      lost: 0,
      complaints: [],
    })
  })
})

describe('under --layer2-partition=fence', () => {
  const apart = unheard('heartbeats cut', { lastsMs: 2500, afterMs: 1500 })

  beforeAll(async () => {
    await addSpeakerArgument(lab, '--layer2-partition=fence')
    await speakersReady(lab)
  }, 120_000)

  afterAll(async () => {
    await lab.kubectl(['rollout', 'undo', 'daemonset/speaker', '-n', system])
    await speakersReady(lab)
  }, 120_000)

  it.each(times)('an owner that hears nobody is silent before another one answers (%i)', async () => {
    const { gapMs, figures } = await counted((watch) => lose(site, watch, apart, '', silent))
    expect(gapMs).toBeLessThan(deadlineMs)
    expect(figures).toMatchObject({
      conflicts: 0,
      'claims by the returned': 0,
      'not one owner after return': 0,
    })
  })
})

function counted(trial: (watch: SegmentWatch) => ReturnType<Trial>): ReturnType<Trial> {
  return whileWatched(site, trial)
}
