/** What speakers write when addresses change hands, as the API server's audit log has it. Pure. */
import type { AskedRequest } from '../../lab/index.ts'

export type Write = Pick<AskedRequest, 'verb' | 'resource' | 'namespace' | 'name' | 'code'>

export interface Tally {
  /** Of single addresses: reports, conditions, Events. */
  readonly ofAddresses: number
  /** The reports of a node that is gone are deleted with one request, and once more where that took the server too long. */
  readonly ofAllAtOnce: number
  /** The speaker's word on itself. */
  readonly others: number
  /** Somebody else wrote the object meanwhile: nothing was changed, and it is read and written again. */
  readonly conflicts: number
  /** Of all objects that belong to addresses, tried or done. */
  readonly mostOfOne: OfOne
}

interface OfOne {
  readonly object: string
  readonly writes: number
}

type Kind = Exclude<keyof Tally, 'mostOfOne'>

const ofAddresses = new Set(['servicel2statuses', 'servicel2statuses/status', 'services/status', 'events'])
const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

export function isWrite({ verb }: Pick<AskedRequest, 'verb'>): boolean {
  return writing.has(verb)
}

export function tallied(writes: readonly Write[]): Tally {
  const kinds = Map.groupBy(writes, kindOf)
  const many = (kind: Kind): number => kinds.get(kind)?.length ?? 0
  return {
    ofAddresses: many('ofAddresses'),
    ofAllAtOnce: many('ofAllAtOnce'),
    others: many('others'),
    conflicts: many('conflicts'),
    mostOfOne: mostOfOne(writes),
  }
}

function mostOfOne(writes: readonly Write[]): OfOne {
  const own = writes.filter(({ resource, name }) => ofAddresses.has(resource) && name !== '')
  return [...Map.groupBy(own, objectOf)]
    .map(([object, all]) => ({ object, writes: all.length }))
    .reduce((most, one) => (one.writes > most.writes ? one : most), { object: '', writes: 0 })
}

/** Each Event has a name of its own, after its object's. */
function objectOf({ resource, namespace, name }: Write): string {
  const [kind] = resource.split('/')
  return `${kind} ${namespace}/${kind === 'events' ? name.replace(/\.[^.]*$/, '') : name}`
}

function kindOf({ verb, resource, code }: Write): Kind {
  if (code === 409) return 'conflicts'
  if (!ofAddresses.has(resource)) return 'others'
  return verb === 'deletecollection' ? 'ofAllAtOnce' : 'ofAddresses'
}

const eachAddress = 3
/** Of a single one. */
const eachObject = 6
/** One, which may take the server too long. */
const allAtOnce = 2

/** @param count addresses that were taken over */
export function writeTexts(tally: Tally, count: number): readonly string[] {
  const { ofAddresses: own, ofAllAtOnce, mostOfOne: most, conflicts } = tally
  const each = own / count
  return [
    ...(each > 0 ? [] : ['nothing was written when the addresses were taken over']),
    ...(each > eachAddress ? [`${each.toFixed(3)} writes an address`] : []),
    ...(most.writes > eachObject
      ? [`${most.writes} writes of ${most.object}, ${conflicts} conflicts in all`]
      : []),
    ...(ofAllAtOnce > allAtOnce ? [`${ofAllAtOnce} requests that delete what a node left`] : []),
  ]
}
