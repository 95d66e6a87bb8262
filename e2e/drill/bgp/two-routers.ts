/** `routers`: two peers on each node at once; one router is lost under traffic through the other, which loses nothing. */
import type { LabRouter } from '../../lab/index.ts'
import { startLoad } from '../../load/load.ts'
import { calm, wait } from '../layer2/traffic.ts'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'
import { carriesAll, onSite, type Site } from './site.ts'

const times = 3
const perSecond = 500
const awayMs = 5000

export const routers: Part = {
  about: `both routers carry every route; bgpd of one is killed under ${perSecond} requests a second through the other`,
  run: (o) =>
    onSite(o, async (site) => {
      for (const lost of [0, 1])
        await repeat(o, 'routers', `router ${lost + 1} is lost`, o.times ?? times, (note) =>
          without(site, lost, note),
        )
    }),
}

async function without(site: Site, index: number, note: (text: string) => void): ReturnType<Trial> {
  const { lab, asked } = site
  const address = asked.ipv4
  const [lost, kept] = [lab.routers[index], lab.routers[1 - index]]
  if (lost === undefined || kept === undefined) throw new Error('a lab has two routers')
  note('until both carry everything')
  await carriesAll(site)
  const route = [address, 'via', kept.host.interfaces[1]?.ipv4 ?? '']
  await lab.client2.run(['ip', 'route', 'replace', ...route])
  const load = startLoad(lab.client2, { address, host: 'drill', perSecond, timeoutMs: 900, lateMs: 100 })
  try {
    await calm(lab, [load], 500)
    const before = await begun(site, kept)
    const daemon = `${lost.name}-bgpd`
    await lab.killDaemon(daemon)
    note(`without ${lost.name}`)
    await wait(awayMs)
    await carriesAll(site, [kept])
    const left = (await lost.routes()).length
    await lab.startDaemon(daemon)
    note(`${lost.name} is back`)
    await carriesAll(site)
    const now = await sessions(kept)
    const restarted = [...before].filter(([peer, at]) => Math.abs((now.get(peer) ?? 0) - at) > roundingMs)
    const { sent, lost: failed, late } = await load.stop()
    return {
      figures: {
        sent,
        lost: failed.length,
        'late by 100 ms': late.length,
        'sessions restarted': restarted.length,
      },
      complaints: [
        ...(failed.length > 0 ? [`${failed.length} requests lost, the first by ${failed[0]?.why}`] : []),
        ...(restarted.length > 0 ? [`${restarted.length} sessions with ${kept.name} began anew`] : []),
        ...(left > 0 ? [`${lost.name} kept ${left} routes without bgpd`] : []),
      ],
      lateMs: 0,
    }
  } finally {
    await load.stop()
    await lab.client2.run(['ip', 'route', 'del', ...route])
  }
}

/** FRR counts the seconds of a session whole. */
const roundingMs = 2000

/** When each session that is up began. */
async function sessions(router: LabRouter): Promise<ReadonlyMap<string, number>> {
  const up = (await router.bgpNeighbors()).filter(({ state }) => state === 'Established')
  return new Map(up.map(({ address, uptimeMs }) => [address, Date.now() - uptimeMs]))
}

/** The same, once each is so old that another would be seen. */
async function begun({ lab }: Site, router: LabRouter): Promise<ReadonlyMap<string, number>> {
  return await lab.waitFor(`sessions with ${router.name} that are not new`, async () => {
    const all = await sessions(router)
    return [...all.values()].every((at) => Date.now() - at > 2 * roundingMs) ? all : undefined
  })
}
