/** `bgp`: the acceptance of the BGP side, in parts of at most 15 minutes each, each on a stage of its own. */
import type { LablessDrill } from '../drill.ts'
import { Journal } from '../journal.ts'
import { chosenParts, type Row } from '../part.ts'
import { judge } from '../rows.ts'
import { create } from './create.ts'
import { down } from './down.ts'
import { drain } from './drain.ts'
import { fuzz } from './fuzz.ts'
import { graceful } from './graceful.ts'
import { kill } from './kill.ts'
import type { Part } from './part.ts'
import { restart } from './restart.ts'
import { quota, soak } from './soak.ts'
import { routers } from './two-routers.ts'

const parts: Readonly<Record<string, Part>> = {
  create,
  restart,
  drain,
  kill,
  graceful,
  routers,
  down,
  soak,
  quota,
  fuzz,
}

export const bgp: LablessDrill = {
  about: `routes come, go and outlive what befalls; --part is one of ${Object.keys(parts).join(', ')}`,
  times: undefined,
  run: async ({ times, resume, progress, part: wanted, lab }) => {
    // What is to be taken away is taken away at the exit, which a signal alone would leave out.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
    const journal = new Journal<Row>('bgp', resume)
    for (const part of chosenParts(parts, wanted))
      await part.run({ times, lab, setting: '', progress, journal })
    return judge(journal.rows())
  },
}
