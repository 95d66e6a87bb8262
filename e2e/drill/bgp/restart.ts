/** `restart`: a speaker with 5,000 routes is told to stop, and started: how soon they are gone, and all there again. */
import type { Part, PartOptions } from './part.ts'
import type { StageLine } from './stage-main.ts'
import { onStage } from './stage-run.ts'

const restartedCount = 5000
const usualTimes = 5
/** `--bgp-drain-wait` unless given. */
const drainMs = 1000
const kinds = {
  stopped: {
    what: `SIGTERM until ${restartedCount} routes are gone, beyond the wait`,
    limits: { median: 1000, worst: 1000 },
  },
  started: {
    what: `start until ${restartedCount} routes are at the peer`,
    limits: { median: 3000, worst: 3000 },
  },
}

export const restart: Part = {
  about: `SIGTERM and start of a speaker with ${restartedCount} Services: its routes at a bare receiver`,
  run: async (o) => {
    const restarts = restartsLeft(o)
    if (restarts === 0) return
    await o.progress.step(`restart: ${restarts} times with ${restartedCount} Services`, (note) =>
      onStage({ count: restartedCount, creates: 0, besides: 0, restarts }, (line) => {
        recordRestart(o, line)
        note(line.kind === 'note' ? line.text : line.kind)
      }),
    )
  },
}

/** What the journal does not have yet. */
function restartsLeft({ journal, times = usualTimes }: PartOptions): number {
  const done = journal.rows().filter(({ what }) => what === kinds.started.what).length
  return Math.max(0, times - done)
}

function recordRestart({ journal, setting }: PartOptions, line: StageLine): void {
  if (line.kind !== 'stopped' && line.kind !== 'started') return
  const { ms, lateMs } = line
  const gapMs = line.kind === 'stopped' ? ms - drainMs : ms
  const row = { part: 'restart', setting, gapMs, lateMs, figures: {}, complaints: [], tries: 1 }
  journal.add({ ...row, ...kinds[line.kind] })
}
