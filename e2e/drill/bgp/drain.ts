/**
 * `drain`: a speaker is told to end (SIGTERM) under a client of 500 requests a second, without graceful restart: the
 * routers hear that its routes are about to go, and then that they are gone, while its node still forwards.
 */
import { startLoad } from '../../load/load.ts'
import { watchNextHops } from '../../load/next-hops.ts'
import { epochMs } from '../../segment/watch.ts'
import { speakerOn, speakersReady, system } from '../layer2/site.ts'
import { calm, wait } from '../layer2/traffic.ts'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'
import { carriesAll, countFlows, type Family, flows, onSite, type Site } from './site.ts'

/** Of each family. */
const times = 3
const perSecond = 500
const afterMs = 1500

export const drain: Part = {
  about: `SIGTERM of a speaker without graceful restart, under ${perSecond} requests a second`,
  run: (o) =>
    onSite(o, async (site) => {
      for (const [family, name] of families)
        await repeat(o, 'drain', `SIGTERM of a speaker, ${name}`, o.times ?? times, (note) =>
          ended(site, family, note),
        )
    }),
}

const families = [
  ['ipv4', 'IPv4'],
  ['ipv6', 'IPv6'],
] as const

let turn = 0

async function ended(site: Site, family: Family, note: (text: string) => void): ReturnType<Trial> {
  const { lab, victims, asked } = site
  const address = asked[family]
  const victim = victims[turn++ % victims.length] ?? ''
  const { [family]: ip } = lab.node(victim)
  note('until all carries traffic')
  await carriesAll(site)
  const watches = lab.routers.map((router) => watchNextHops(router, address))
  const load = startLoad(lab.client2, { address, host: 'drill', perSecond, timeoutMs: 900, lateMs: 100 })
  try {
    await calm(lab, [load], 500)
    await countFlows(site, address)
    await wait(afterMs)
    const through = (await flows(site)).get(victim) ?? 0
    const pod = await speakerOn(lab, victim)
    const at = epochMs()
    note(`the speaker on ${victim} ends`)
    await lab.kubectl(['delete', 'pod', '-n', system, pod, '--wait=true'])
    const left = watches.map(({ changes }) =>
      changes.find((change) => change.at >= at && !change.hops.includes(ip)),
    )
    await speakersReady(lab)
    await carriesAll(site)
    await wait(afterMs)
    const { sent, lost, late, gaps } = await load.stop()
    return {
      figures: {
        sent,
        lost: lost.length,
        'max lost at once': Math.max(0, ...gaps.map(({ failed }) => failed)),
        'late by 100 ms': late.length,
        'through the node before': through,
      },
      complaints: [
        ...(through === 0 ? ['nothing went through the node before'] : []),
        ...(left.includes(undefined) ? ['a router kept the route without its speaker'] : []),
      ],
      lateMs: 0,
    }
  } finally {
    await Promise.all(watches.map((watch) => watch.stop()))
    await load.stop()
  }
}
