/** `quota`: speakers with a tenth of a core each, kept busy: no address changes its owner. */
import { LimitedGroup } from '../../cgroup/limited-group.ts'
import { conflicts } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { repeat, type Trial } from '../part.ts'
import { manyServices } from './many-services.ts'
import { type Part } from './part.ts'
import { conflictTexts } from './seen.ts'
import {
  addressesOf,
  firstNodes,
  namespace,
  owners,
  type Site,
  speakerPods,
  system,
  watched,
} from './site.ts'
import { wait } from './traffic.ts'

const cores = 0.1
const minutes = 10
const count = 100
/** The container's own cgroup cannot be seen in the lab, so the pace that follows from it is given. */
const pace = '200x5'
const churnMs = 1000
/** Read and thrown away with each change, so that there is much garbage. */
const padding = 'x'.repeat(4096)

export const quota: Part = {
  about: `speakers with ${cores * 1000}m of a core, busy with ${count} large Services that change, for ${minutes} minutes (--times)`,
  run: (o) =>
    watched({ ...o, heartbeat: o.heartbeat === '' ? pace : o.heartbeat }, (site, watch) =>
      repeat(o, 'quota', `${cores * 1000}m`, 1, (note) => starved(site, watch, o.times ?? minutes, note)),
    ),
}

async function starved(
  site: Site,
  watch: SegmentWatch,
  lasts: number,
  note: (text: string) => void,
): ReturnType<Trial> {
  const { lab } = site
  const [backend = ''] = firstNodes(lab, 1)
  await manyServices(lab, { count, backend }, note)
  const groups = new Map<string, LimitedGroup>()
  const restarts = await restartsOf(site)
  try {
    for (const { metadata } of await speakerPods(lab)) {
      const state = lab.pods.process(system, metadata.name, 'speaker')
      if (state === undefined) throw new Error(`${metadata.name} does not run`)
      const group = new LimitedGroup(`landfall-${lab.id}-${metadata.name}`, { kind: 'cpu', cores })
      groups.set(metadata.name, group)
      group.add(state.pid)
    }
    await wait(5000)
    await owners(site, watch, addressesOf(site.services))
    const began = epochMs()
    for (let round = 1; epochMs() - began < lasts * 60_000; round++) {
      const since = epochMs()
      const annotations = [`round=${round}`, `padding=${padding}`]
      const every = ['service', '-n', namespace, '-l', 'many=yes', '--overwrite']
      await lab.kubectl(['annotate', ...every, ...annotations])
      note(`${Math.round((epochMs() - began) / 1000)} s, ${round} rounds of ${count} changes`)
      await wait(churnMs - (epochMs() - since))
    }
    const changes = conflicts(
      watch.claims.filter(({ at }) => at >= began),
      Number.POSITIVE_INFINITY,
    )
    const again = (await restartsOf(site)) - restarts
    const throttled = [...groups.values()].reduce((sum, group) => sum + group.throttled(), 0)
    return {
      figures: {
        minutes: lasts,
        'changes of owner': changes.length,
        restarts: again,
        'throttled periods': throttled,
      },
      complaints: [
        ...conflictTexts(changes),
        ...(again > 0 ? [`${again} restarts of speakers`] : []),
        ...(throttled > 0 ? [] : ['the speakers were never short of processor time']),
      ],
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
