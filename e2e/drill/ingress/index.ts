/**
 * `ingress`: serve and a real Envoy under bursts, churn, losses and storms, in parts of at most 15 minutes each; and
 * `replicas` and `swap`, which have a lab instead of a network of their own and are run by their names only.
 */
import { startBackends } from '../../ingress/site.ts'
import type { LablessDrill } from '../drill.ts'
import { Journal } from '../journal.ts'
import { chosenParts, type Row } from '../part.ts'
import { judge } from '../rows.ts'
import { burst } from './burst.ts'
import { churn } from './churn.ts'
import { losses } from './losses.ts'
import type { Part } from './part.ts'
import { poison } from './poison.ts'
import { replicas } from './replicas.ts'
import { rotation } from './rotation.ts'
import { soak } from './soak.ts'
import { statuses } from './statuses.ts'
import { storms } from './storms.ts'
import { swap } from './swap.ts'

const parts: Readonly<Record<string, Part>> = {
  burst,
  churn,
  losses,
  poison,
  rotation,
  soak,
  statuses,
  storms,
}

const onLab: Readonly<Record<string, Part>> = { replicas, swap }

const names = Object.keys({ ...parts, ...onLab }).join(', ')

export const ingress: LablessDrill = {
  about: `hosts come, move and fall while requests go on; --part is one of ${names}`,
  times: undefined,
  apart: (part) => part === undefined || !(part in onLab),
  run: async ({ times, resume, progress, part: wanted, only }) => {
    const journal = new Journal<Row>('ingress', resume)
    const lab = wanted === undefined ? undefined : onLab[wanted]
    if (lab !== undefined) {
      await lab.run({ times, setting: 'one node', progress, journal })
      return judge(journal.rows())
    }
    const stop = await startBackends()
    try {
      for (const part of chosenParts(parts, wanted))
        await part.run({ times, setting: 'one Envoy', only, progress, journal })
    } finally {
      stop()
    }
    return judge(journal.rows())
  },
}
