/** `layer2`: the acceptance of the ARP/NDP side, in parts of at most 15 minutes each, on labs of their own. */
import type { LablessDrill } from '../drill.ts'
import { Journal } from '../journal.ts'
import { failures, kills, returns } from './failures.ts'
import { outage, updates } from './moves.ts'
import type { Part, Row } from './part.ts'
import { quota } from './quota.ts'
import { judge } from './report.ts'
import { spread } from './spread.ts'
import { takeover } from './takeover.ts'
import { upgrade } from './upgrade.ts'

const parts: Readonly<Record<string, Part>> = {
  failures,
  kills,
  returns,
  updates,
  outage,
  spread,
  takeover,
  upgrade,
  quota,
}

export const layer2: LablessDrill = {
  about: `owners of addresses are lost, moved and replaced; --part is one of ${Object.keys(parts).join(', ')}`,
  times: undefined,
  run: async ({ times, resume, progress, part: wanted, nodes = 3, heartbeat = '', lab }) => {
    const chosen = Object.entries(parts).filter(([name]) => wanted === undefined || name === wanted)
    if (chosen.length === 0)
      throw new Error(`no part is named "${wanted}"; there are ${Object.keys(parts).join(', ')}`)
    const journal = new Journal<Row>('layer2', resume)
    for (const [, part] of chosen) await part.run({ times, nodes, heartbeat, lab, progress, journal })
    return judge(journal.rows())
  },
}
