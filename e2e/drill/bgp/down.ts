/** `down`: BFD in the worker thread loses the peer: how soon BGP, on an idle main thread, has said so to the peer. */
import { missingFor, PeerLab, until } from '@landfall/speaker/testing'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'
import { peerOf, soakedRouters } from './routers.ts'

const times = 20
const pace = { intervalMs: 50, multiplier: 3 }
const limits = { median: 5 }
/** A session that ends sooner has the next one wait. */
const stableMs = 10_500

export const down: Part = {
  about: "FRR's bfdd is frozen: from BFD going down in the worker thread to BGP's NOTIFICATION on its socket",
  run: async (o) => {
    const [router] = soakedRouters
    const why = missingFor('frr')
    if (why !== undefined || router === undefined) throw new Error(why)
    const lab = new PeerLab(1)
    try {
      await router.start(lab, pace)
      const speaker = lab.startSpeaker(1)
      speaker.apply({ peers: [peerOf(pace)] })
      const trial = async (): ReturnType<Trial> => {
        const before = speaker.events('sessionDown').length
        await until('BGP', () => speaker.events('sessionUp').length > before, 30_000)
        await until('BFD', () => router.isUp(lab) && speaker.events('bfd').at(-1)?.['state'] === 'up', 30_000)
        await new Promise((resolve) => setTimeout(resolve, stableMs))
        lab.freeze('bfdd')
        try {
          await until('the end', () => speaker.events('sessionDown').length > before)
          await until('its time', () => speaker.events('bfd').at(-1)?.['state'] === 'down')
        } finally {
          lab.thaw('bfdd')
        }
        const [last] = speaker.events('sessionDown').slice(-1)
        const { tookMs } = speaker.events('bfd').at(-1) ?? {}
        return {
          gapMs: Number(tookMs),
          limits,
          figures: {},
          complaints: last?.['reason'] === 'cease/bfdDown' ? [] : [`it ended by ${String(last?.['reason'])}`],
          lateMs: 0,
        }
      }
      await repeat(o, 'down', 'BFD down in the worker until BGP has said so', o.times ?? times, trial)
    } finally {
      await lab.close()
    }
  },
}
