/** `quota`: speakers with a tenth of a core each, kept busy: no address changes its owner. */
import { conflicts } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { CpuGroup } from './cpu-group.ts'
import { conflictTexts } from './loss.ts'
import { manyServices } from './many-services.ts'
import { type Part, repeat, type Trial } from './part.ts'
import { addressesOf, namespace, owners, type Site, speakerPods, system, watched } from './site.ts'
import { wait } from './traffic.ts'

const cores = 0.1
const minutes = 10
const count = 100
/** The container's own cgroup cannot be seen in the lab, so the pace that follows from it is given. */
const pace = '200x5'
const churnMs = 1000

export const quota: Part = {
  about: `speakers with ${cores * 1000}m of a core, busy with ${count} Services that change, for ${minutes} minutes (--times)`,
  run: (o) =>
    watched({ ...o, heartbeat: o.heartbeat === '' ? pace : o.heartbeat }, (site, watch) =>
      repeat(o, 'quota', `${cores * 1000}m`, 1, (note) => throttled(site, watch, o.times ?? minutes, note)),
    ),
}

async function throttled(
  site: Site,
  watch: SegmentWatch,
  lasts: number,
  note: (text: string) => void,
): ReturnType<Trial> {
  const { lab } = site
  await manyServices(lab, count, note)
  const groups = new Map<string, CpuGroup>()
  const restarts = await restartsOf(site)
  try {
    for (const { metadata } of await speakerPods(lab)) {
      const state = lab.pods.process(system, metadata.name, 'speaker')
      if (state === undefined) throw new Error(`${metadata.name} does not run`)
      const group = new CpuGroup(`landfall-${lab.id}-${metadata.name}`, cores)
      groups.set(metadata.name, group)
      group.add(state.pid)
    }
    await wait(5000)
    await owners(site, watch, addressesOf(site.services))
    const began = epochMs()
    for (let round = 1; epochMs() - began < lasts * 60_000; round++) {
      const since = epochMs()
      const label = `round=${round}`
      await lab.kubectl(['annotate', 'service', '-n', namespace, '-l', 'many=yes', '--overwrite', label])
      note(`${Math.round((epochMs() - began) / 1000)} s, ${round} rounds of ${count} changes`)
      await wait(churnMs - (epochMs() - since))
    }
    const changes = conflicts(
      watch.claims.filter(({ at }) => at >= began),
      Number.POSITIVE_INFINITY,
    )
    const again = (await restartsOf(site)) - restarts
    return {
      what: `${cores * 1000}m`,
      figures: {
        minutes: lasts,
        'changes of owner': changes.length,
        restarts: again,
        'throttled periods': [...groups.values()].reduce((sum, group) => sum + group.throttled(), 0),
      },
      complaints: [...conflictTexts(changes), ...(again > 0 ? [`${again} restarts of speakers`] : [])],
      lateMs: 0,
    }
  } finally {
    await lab.kubectl(['delete', 'daemonset', 'speaker', '-n', system, '--wait=true'])
    for (const group of groups.values())
      await lab.waitFor('an empty cgroup', () => {
        group.remove()
        return true
      })
  }
}

async function restartsOf({ lab }: Site): Promise<number> {
  const all = (await speakerPods(lab)).flatMap(({ status }) => status?.containerStatuses ?? [])
  return all.reduce((sum, { restartCount }) => sum + restartCount, 0)
}
