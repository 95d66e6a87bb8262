/**
 * `graceful`: a speaker's pod is replaced under a client of 500 requests a second, with graceful restart agreed with both
 * routers, and BFD beside it. The node has no endpoint and goes on forwarding: nothing may be lost, no route may leave.
 */
import { startLoad } from '../../load/load.ts'
import { watchNextHops } from '../../load/next-hops.ts'
import { speakerOn, speakersReady, system } from '../layer2/site.ts'
import { calm, wait } from '../layer2/traffic.ts'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'
import { bfdUp, carriesAll, countFlows, flows, keepOverRestarts, onSite, type Site } from './site.ts'

const times = 3
const perSecond = 500
const pace = { intervalMs: 300, multiplier: 3 }

export const graceful: Part = {
  about: `a speaker restarts with graceful restart agreed, under ${perSecond} requests a second through its node, too`,
  run: (o) =>
    onSite(o, async (site) => {
      await keepOverRestarts(site, pace)
      await repeat(o, 'graceful', 'a speaker restarts', o.times ?? times, (note) => restarted(site, note))
    }),
}

let turn = 0

async function restarted(site: Site, note: (text: string) => void): ReturnType<Trial> {
  const { lab, victims, asked } = site
  const address = asked.ipv4
  const victim = victims[turn++ % victims.length] ?? ''
  const { ipv4 } = lab.node(victim)
  note('until all carries traffic')
  await carriesAll(site)
  await bfdUp(lab)
  const watches = lab.routers.map((router) => watchNextHops(router, address))
  const load = startLoad(lab.client2, { address, host: 'drill', perSecond, timeoutMs: 900, lateMs: 100 })
  try {
    await calm(lab, [load], 500)
    await countFlows(site, address)
    const pod = await speakerOn(lab, victim)
    note(`the speaker on ${victim} restarts`)
    await lab.kubectl(['delete', 'pod', '-n', system, pod, '--wait=true'])
    await speakersReady(lab)
    await bfdUp(lab)
    const through = (await flows(site)).get(victim) ?? 0
    await wait(1500)
    await carriesAll(site)
    const losses = watches.flatMap(({ changes }) => changes.filter(({ hops }) => !hops.includes(ipv4))).length
    const { sent, lost, late } = await load.stop()
    return {
      figures: {
        sent,
        lost: lost.length,
        'late by 100 ms': late.length,
        'through the node meanwhile': through,
        'routes that left it': losses,
      },
      complaints: [
        ...(lost.length > 0 ? [`${lost.length} requests lost, the first by ${lost[0]?.why}`] : []),
        ...(losses > 0 ? ['a route left the node'] : []),
        ...(through === 0 ? ['nothing went through the node'] : []),
      ],
      lateMs: 0,
    }
  } finally {
    await Promise.all(watches.map((watch) => watch.stop()))
    await load.stop()
  }
}
