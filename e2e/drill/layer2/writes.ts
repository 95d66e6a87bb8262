/** What speakers write when addresses change hands, as the API server's audit log has it. Pure. */
import type { AskedRequest } from '../../lab/index.ts'

export type Write = Pick<AskedRequest, 'verb' | 'resource' | 'code'>

export interface Tally {
  /** Of single addresses: reports, conditions, Events. */
  readonly ofAddresses: number
  /** The reports of a node that is gone are deleted with one request, and once more where that took the server too long. */
  readonly ofAllAtOnce: number
  /** The speaker's word on itself. */
  readonly others: number
  /** Somebody else wrote the object meanwhile: nothing was changed, and it is read and written again. */
  readonly conflicts: number
}

const ofAddresses = new Set(['servicel2statuses', 'servicel2statuses/status', 'services/status', 'events'])
const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

export function isWrite({ verb }: Pick<AskedRequest, 'verb'>): boolean {
  return writing.has(verb)
}

export function tallied(writes: readonly Write[]): Tally {
  const kinds = Map.groupBy(writes, kindOf)
  const many = (kind: keyof Tally): number => kinds.get(kind)?.length ?? 0
  return {
    ofAddresses: many('ofAddresses'),
    ofAllAtOnce: many('ofAllAtOnce'),
    others: many('others'),
    conflicts: many('conflicts'),
  }
}

function kindOf({ verb, resource, code }: Write): keyof Tally {
  if (code === 409) return 'conflicts'
  if (!ofAddresses.has(resource)) return 'others'
  return verb === 'deletecollection' ? 'ofAllAtOnce' : 'ofAddresses'
}

const eachAddress = 3
/** One, which may take the server too long. */
const allAtOnce = 2

/** @param count addresses that were taken over */
export function writeTexts({ ofAddresses: own, ofAllAtOnce }: Tally, count: number): readonly string[] {
  const each = own / count
  return [
    ...(each > 0 ? [] : ['nothing was written when the addresses were taken over']),
    ...(each > eachAddress ? [`${each.toFixed(3)} writes an address`] : []),
    ...(ofAllAtOnce > allAtOnce ? [`${ofAllAtOnce} requests that delete what a node left`] : []),
  ]
}
