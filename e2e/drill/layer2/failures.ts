/** `failures`, `kills`, `returns` and `fence`: the owner of an address is lost in every way, and comes back. */
import type { SegmentWatch } from '../../segment/watch.ts'
import { repeat } from '../part.ts'
import { kill } from './kills.ts'
import { freeze, type Loss, linkCut, lose, unheard } from './loss.ts'
import { type Part, type PartOptions } from './part.ts'
import { type Site, watched } from './site.ts'

const fullTimes = 20
const reportedTimes = 3
const returnTimes = 30
const short = { lastsMs: 3000, afterMs: 3000 }

const losses: readonly Loss[] = [
  // First, while addresses are spread over all nodes.
  { ...linkCut('link cut, endpoint there', false, short), ownEndpoint: true },
  linkCut('link cut', false, short),
  linkCut('link cut, carrier kept', true, short),
  freeze('node frozen', { lastsMs: 10_000, afterMs: 3000 }),
]

export const failures: Part = {
  about: 'link of an owner cut, its node frozen and thawed: gaps, and who answered meanwhile',
  run: (o) => watched(o, (site, watch) => losing(o, site, watch, 'failures', losses, o.times ?? fullTimes)),
}

export const kills: Part = {
  about:
    'SIGKILL of the speaker of an owner and of the coordinator: no request is lost, another node answers',
  run: (o) =>
    watched(o, async (site, watch) => {
      for (const whom of ['owner', 'coordinator'] as const)
        await repeat(o, 'kills', `${whom} killed`, o.times ?? fullTimes, (note) =>
          kill(site, watch, o.heartbeat, whom, note),
        )
    }),
}

export const returns: Part = {
  about: 'link of the owner cut and restored, again and again: one node answers after each return',
  run: (o) =>
    watched(o, (site, watch) => {
      const all = [
        linkCut('link cut and restored', false, short),
        linkCut('the same, carrier kept', true, short),
      ]
      return losing(o, site, watch, 'returns', all, o.times ?? returnTimes)
    }),
}

export const fence: Part = {
  about: 'under --layer2-partition=fence an owner hears nobody: it is silent before another answers',
  run: (o) =>
    watched({ ...o, speakerArguments: ['--layer2-partition=fence'] }, (site, watch) =>
      losing(o, site, watch, 'fence', [unheard('heartbeats cut', short)], o.times ?? fullTimes),
    ),
}

async function losing(
  o: PartOptions,
  site: Site,
  watch: SegmentWatch,
  part: string,
  all: readonly Loss[],
  times: number,
): Promise<void> {
  for (const loss of all) {
    const count = loss.ownEndpoint === true ? Math.min(times, reportedTimes) : times
    await repeat(o, part, loss.what, count, (note) => lose(site, watch, loss, o.heartbeat, note))
  }
}
