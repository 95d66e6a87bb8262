/** `layer2`: the acceptance of the ARP/NDP side, in parts of at most 15 minutes each, on labs of their own. */
import type { LablessDrill } from '../drill.ts'
import { Journal } from '../journal.ts'
import { chosenParts, type Row } from '../part.ts'
import { judge } from '../rows.ts'
import { failures, fence, kills, returns } from './failures.ts'
import { outage, updates } from './moves.ts'
import type { Part } from './part.ts'
import { quota } from './quota.ts'
import { spread } from './spread.ts'
import { takeover } from './takeover.ts'
import { upgrade } from './upgrade.ts'

const parts: Readonly<Record<string, Part>> = {
  failures,
  kills,
  returns,
  fence,
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
  run: async ({ times, resume, progress, part: wanted, only, nodes = 3, heartbeat = '', lab }) => {
    const journal = new Journal<Row>('layer2', resume)
    const setting = `${nodes} nodes${heartbeat === '' ? '' : `, ${heartbeat}`}`
    for (const part of chosenParts(parts, wanted))
      await part.run({ times, nodes, heartbeat, lab, setting, only, progress, journal })
    return judge(journal.rows())
  },
}
