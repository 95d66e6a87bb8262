/** `spread`: 250 addresses on 3, 5 and 7 nodes, what moves when nodes come, go and return, and an even spread on demand. */
import type { SegmentWatch } from '../../segment/watch.ts'
import { watchSegment } from '../../segment/watch.ts'
import { repeat, type Trial } from '../part.ts'
import { manyServices, removeServices } from './many-services.ts'
import { lossless, rebalance } from './moves.ts'
import { departure, loadsOf, moves, type Owners, ownedBy, unevenness } from './owned.ts'
import { type Part } from './part.ts'
import { firstNodes, manyPrefix, onSite, owners, type Site, setSpeakers } from './site.ts'
import { wait } from './traffic.ts'

const count = 250
const sizes = [3, 5, 7]
const answering = 5
const askMs = 500
/** Whatever would move has done so by then. */
const settleMs = 4000

/** Neither lost nor stopped here. */
function thirdOf({ lab }: Site): string {
  return firstNodes(lab, 3).at(-1) ?? ''
}

export const spread: Part = {
  about: `${count} addresses on ${sizes.join(', ')} nodes: how evenly, and what moves when a node comes, goes, returns`,
  run: (o) =>
    onSite({ ...o, nodes: Math.max(...sizes), speakers: 3, perBackend: 0 }, async (site) => {
      for (const size of sizes) {
        await repeat(o, 'spread', `${count} addresses on ${size} nodes`, 1, (note) =>
          placed(site, size, note),
        )
      }
      await repeat(o, 'spread', 'nodes come, go and return', o.times ?? 1, (note) => moved(site, note))
      await repeat(o, 'spread', `rebalance of ${count} addresses`, o.times ?? 1, (note) => evened(site, note))
    }),
}

async function placed(site: Site, size: number, note: (text: string) => void): ReturnType<Trial> {
  const { lab } = site
  note('speakers')
  await setSpeakers(lab, firstNodes(lab, size))
  const ips = await manyServices(lab, { count, backend: thirdOf(site) }, note)
  try {
    return await asked(site, ips, async (now) => {
      const [all, nodes] = [await now(), firstNodes(lab, size)]
      const loads = loadsOf(all, nodes)
      const [least, most] = [Math.min(...loads), Math.max(...loads)]
      return {
        figures: { least, most, difference: most - least },
        complaints: unevenness(all, nodes),
        lateMs: 0,
      }
    })
  } finally {
    note('taking Services away')
    await removeServices(lab, note)
  }
}

/** With three nodes that own all: a fourth joins; an owner is lost, and returns; another one is stopped, and returns. */
async function moved(site: Site, note: (text: string) => void): ReturnType<Trial> {
  const { lab } = site
  await setSpeakers(lab, firstNodes(lab, 3))
  const ips = await manyServices(lab, { count, backend: thirdOf(site) }, note)
  const four = firstNodes(lab, 4)
  const [first = '', second = ''] = four
  try {
    return await asked(site, ips, async (now) => {
      const step = async (
        title: string,
        work: () => Promise<unknown>,
      ): Promise<readonly [Owners, Owners]> => {
        note(title)
        const before = await now()
        await work()
        await wait(settleMs)
        return [before, await now()]
      }
      const join = moves(...(await step('a node joins', () => setSpeakers(lab, four))))
      const lost = await step('a node is lost', () => lab.node(first).cut())
      const back = moves(...(await step('it returns', () => lab.node(first).restore())))
      const others = four.filter((node) => node !== second)
      const stopped = await step('a speaker is stopped', () => setSpeakers(lab, others))
      const again = moves(...(await step('it is started', () => setSpeakers(lab, four))))
      return {
        figures: {
          'moves at a join': join.length,
          'owned by the lost': ownedBy(lost[0], first),
          moved: moves(...lost).length,
          'moves at its return': back.length,
          'owned by the stopped': ownedBy(stopped[0], second),
          'moved then': moves(...stopped).length,
          'moves at its start': again.length,
        },
        complaints: [
          ...join.map((move) => `${move} when a node joined`),
          ...[...back, ...again].map((move) => `${move} when a node returned`),
          ...departure(lost, first, four),
          ...departure(stopped, second, four),
        ],
        lateMs: 0,
      }
    })
  } finally {
    await removeServices(lab, note)
  }
}

/** Of three nodes one returned, and owns nothing; requests go to addresses of the two others. */
async function evened(site: Site, note: (text: string) => void): ReturnType<Trial> {
  const { lab } = site
  const nodes = firstNodes(lab, 3)
  await setSpeakers(lab, nodes)
  await lab.client.run([lab.parts.ip, 'route', 'replace', manyPrefix, 'dev', 'eth0'])
  const ips = await manyServices(lab, { count, answering, backend: thirdOf(site) }, note)
  try {
    return await asked(site, ips, async (now, watch) => {
      await setSpeakers(lab, nodes.slice(1))
      await now()
      await setSpeakers(lab, nodes)
      await wait(settleMs)
      const before = loadsOf(await now(), nodes)
      const work = (): Promise<void> =>
        rebalance(site, watch, { ips, nodes, until: 'even', timeoutMs: count * 2 * 1000 })
      const row = await lossless(site, watch, { ips, work }, note)
      const loads = loadsOf(await now(), nodes)
      const [least, most] = [Math.min(...loads), Math.max(...loads)]
      const figures = { ...row.figures, least, most, difference: most - least }
      return { ...row, figures, complaints: [...row.complaints, ...wasEven(before)] }
    })
  } finally {
    note('taking Services away')
    await removeServices(lab, note)
  }
}

function wasEven(loads: readonly number[]): readonly string[] {
  return Math.max(...loads) - Math.min(...loads) > 1
    ? []
    : [`nodes owned ${loads.join(', ')} addresses before`]
}

async function asked<T>(
  site: Site,
  ips: readonly string[],
  work: (now: () => Promise<Owners>, watch: SegmentWatch) => Promise<T>,
): Promise<T> {
  const watch: SegmentWatch = await watchSegment(site.lab, { ask: ips, everyMs: askMs })
  try {
    await owners(site, watch, ips, 120_000)
    await wait(settleMs)
    return await work(() => owners(site, watch, ips, 30_000), watch)
  } finally {
    await watch.stop()
  }
}
