/**
 * SIGKILL of an owner's speaker or of the coordinator: its node forwards on, another one answers, or it does itself
 * when it is started again within the detection time.
 */
import { conflicts, firstBy } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { choose, ownerToLose, type Target } from './loss.ts'
import { lostOf, lostTexts, openTexts } from './lost.ts'
import { rollingUpdate } from './moves.ts'
import { takeoverLimits } from './part.ts'
import { conflictMs, conflictTexts } from './seen.ts'
import { silenceFigures, silenceOf, silenceTexts } from './silence.ts'
import { addressesOf, owners, type Site, speakerOn, speakerPods, speakersReady, system } from './site.ts'
import { slowFigures, slowMs, slowTexts } from './slow.ts'
import { calm, patientLoadOn, wait } from './traffic.ts'

const afterMs = 1500
/** What the killed process sent is on the segment, and in the capture, by then. */
const sentMs = 20
/** What is on the segment is known here by then. */
const toldMs = 100

export async function kill(
  site: Site,
  watch: SegmentWatch,
  heartbeat: string,
  whom: 'owner' | 'coordinator',
  note: (text: string) => void,
): ReturnType<Trial> {
  const { lab } = site
  note('choosing')
  const { victim, ips } = await freshTarget(site, watch, whom)
  const owner = await owners(site, watch, addressesOf(site.services))
  const owned = ips.filter((ip) => owner.get(ip) === victim)
  const others = [...owner].flatMap(([ip, node]) => (node === victim ? [] : [ip]))
  const loads = ips.map((ip) => patientLoadOn(lab, ip))
  const ticker = startTicker()
  await calm(lab, loads, 500)
  ticker.take()
  const pod = await speakerOn(lab, victim)
  const struck = epochMs()
  lab.pods.kill(system, pod, 'speaker', 'SIGKILL')
  note(`without the speaker of ${victim}`)
  const found = await Promise.all(
    owned.map((ip) => {
      const look = () => firstBy(watch.claims, { ip, since: struck + sentMs })
      return lab.waitFor('a node to answer', look, { timeoutMs: 20_000, intervalMs: 20 })
    }),
  )
  await speakersReady(lab)
  await wait(afterMs)
  ticker.stop()
  const seenTo = epochMs() - toldMs
  const results = await Promise.all(loads.map((load) => load.stop()))
  const lateMs = Math.max(ticker.take(), ...results.map(({ tickerLateMs }) => tickerLateMs))
  const asked = results.map((result, i) => ({ ip: ips[i] ?? '', result }))
  const lost = lostOf(asked, watch.claims, struck)
  const meanwhile = watch.claims.filter(({ at }) => at >= struck)
  const conflicting = conflicts(meanwhile, conflictMs)
  const silence = silenceOf(meanwhile, others, { from: struck, to: seenTo })
  const gap =
    found.length === 0
      ? {}
      : { gapMs: Math.max(...found.map(({ at }) => at - struck)), limits: takeoverLimits(heartbeat) }
  return {
    ...gap,
    figures: {
      lost: lost.lost.length,
      'open when moved': lost.open.length,
      ...slowFigures(asked, struck),
      conflicts: conflicting.length,
      ...silenceFigures(silence),
    },
    limitMs: slowMs,
    ofTimes: [...slowTexts(asked, struck), ...openTexts(lost.open, struck), ...silenceTexts(silence, lateMs)],
    complaints: [...lostTexts(lost, struck), ...conflictTexts(conflicting)],
    lateMs,
  }
}

/** The lowest name coordinates; addresses that it owns, else any. */
async function ofCoordinator(site: Site, watch: SegmentWatch): Promise<Target> {
  const victim = coordinatorOf(site)
  const all = addressesOf(site.services)
  const owner = await owners(site, watch, all)
  const own = all.filter((ip) => owner.get(ip) === victim)
  return { victim, ips: (own.length > 0 ? own : all).slice(0, 2) }
}

/** A container that fell once is not started again at once: where all did, their pods are replaced. */
async function freshTarget(site: Site, watch: SegmentWatch, whom: 'owner' | 'coordinator'): Promise<Target> {
  const fresh = async (): Promise<ReadonlySet<string>> => {
    const unfallen = (await speakerPods(site.lab)).filter(
      ({ status }) => status?.containerStatuses?.every(({ restartCount }) => restartCount === 0) ?? false,
    )
    return new Set(unfallen.map(({ spec }) => spec.nodeName ?? ''))
  }
  const among = await fresh()
  if (whom === 'owner') {
    const target = ownerToLose(site, await owners(site, watch, addressesOf(site.services)), { among })
    if (target !== undefined) return target
  } else if (among.has(coordinatorOf(site))) return await ofCoordinator(site, watch)
  await rollingUpdate(site)
  return await (whom === 'owner' ? choose(site, watch) : ofCoordinator(site, watch))
}

function coordinatorOf({ lab }: Site): string {
  return lab.nodes.map(({ name }) => name).toSorted()[0] ?? ''
}
