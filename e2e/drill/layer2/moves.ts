/** `updates` and `outage`: what is planned loses nothing, and what befalls without an API server is mended. */
import { conflicts, relapses } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { startTicker } from '../ticker.ts'
import { choose, conflictTexts, linkCut, lose } from './loss.ts'
import { lostOf, lostTexts } from './lost.ts'
import { type Part, repeat, type Trial } from './part.ts'
import { type Announced, addressesOf, type Site, speakerOn, speakersReady, system, watched } from './site.ts'
import { calm, patientLoadOn, wait } from './traffic.ts'

const fullTimes = 10
/** A hundred requests a second each. */
const loadCount = 5
const relapseMs = 1000
const apiAwayMs = 60_000
const outageTimes = 3

interface Planned {
  readonly what: string
  /** Asked meanwhile. */
  readonly services: readonly Announced[]
  readonly work: (site: Site) => Promise<void>
}

export const updates: Part = {
  about: 'rolling update of the speakers, drain of an owner: 500 requests a second lose nothing',
  run: (o) => {
    const times = o.times ?? fullTimes
    return watched(o, async (site, watch) => {
      await repeat(o, 'updates', 'rolling update', times, (note) =>
        lossless(site, watch, { what: 'rolling update', services: site.services, work: rollingUpdate }, note),
      )
      await repeat(o, 'updates', 'drain of an owner', times, async (note) => {
        const { victim } = await choose(site, watch)
        // What is evicted is away for a moment: a single replica does not stand for the addresses.
        const services = site.services.filter(({ backend }) => backend !== victim)
        const work = (): Promise<void> => drain(site, victim)
        return await lossless(site, watch, { what: 'drain of an owner', services, work }, note)
      })
    })
  },
}

export const outage: Part = {
  about: 'API server away for 60 s, the link of an owner cut in the middle',
  run: (o) =>
    watched(o, (site, watch) => {
      const what = 'link cut without API server'
      return repeat(o, 'outage', what, o.times ?? outageTimes, async (note) => {
        await site.lab.killDaemon('kube-apiserver')
        const since = epochMs()
        try {
          await wait(apiAwayMs / 3)
          return await lose(
            site,
            watch,
            linkCut(what, false, { lastsMs: 5000, afterMs: 3000 }),
            o.heartbeat,
            note,
          )
        } finally {
          await wait(apiAwayMs - (epochMs() - since))
          await site.lab.startDaemon('kube-apiserver')
          await speakersReady(site.lab)
        }
      })
    }),
}

/** Requests to many addresses while something planned happens. */
export async function lossless(
  site: Site,
  watch: SegmentWatch,
  { what, services, work }: Planned,
  note: (text: string) => void,
): ReturnType<Trial> {
  const ticker = startTicker()
  const ips = addressesOf(services).slice(0, loadCount)
  const loads = ips.map((ip) => patientLoadOn(site.lab, ip))
  await calm(site.lab, loads, 500)
  ticker.take()
  const began = epochMs()
  note('under way')
  await work(site)
  await wait(2000)
  ticker.stop()
  const results = await Promise.all(loads.map((load) => load.stop()))
  const lost = lostOf(
    results.map((result, i) => ({ ip: ips[i] ?? '', result })),
    watch.claims,
  )
  const meanwhile = watch.claims.filter(({ at }) => at >= began)
  const back = relapses(meanwhile, relapseMs)
  return {
    what,
    figures: {
      sent: results.reduce((sum, { sent }) => sum + sent, 0),
      lost: lost.lost.length,
      'open when moved': lost.open.length,
      'late by 100 ms': results.reduce((sum, { late }) => sum + late.length, 0),
      'changes of owner': turnsOf(meanwhile),
      relapses: back.length,
      'closest owners ms': Math.min(
        ...conflicts(meanwhile, relapseMs).map(({ apartMs }) => apartMs),
        relapseMs,
      ),
    },
    complaints: [...lostTexts(lost), ...conflictTexts(back).map((text) => `answered again: ${text}`)],
    lateMs: ticker.take(),
  }
}

function turnsOf(claims: SegmentWatch['claims']): number {
  return conflicts(claims, Number.POSITIVE_INFINITY).length
}

export async function rollingUpdate({ lab }: Pick<Site, 'lab'>): Promise<void> {
  await lab.kubectl(['rollout', 'restart', 'daemonset', 'speaker', '-n', system])
  await lab.kubectl(['rollout', 'status', 'daemonset', 'speaker', '-n', system, '--timeout=120s'])
  await speakersReady(lab)
}

/** A drain passes over DaemonSets: the speaker goes after it, with the node. */
async function drain({ lab }: Site, node: string): Promise<void> {
  await lab.kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force'])
  await lab.kubectl(['delete', 'pod', await speakerOn(lab, node), '-n', system])
  await lab.kubectl(['uncordon', node])
  await speakersReady(lab)
}
