/**
 * Which findings concern one node: those of peers and BGP advertisements that do not select it are the business of
 * other speakers. Everything else, L2Advertisements included, concerns all: every speaker needs the same candidates.
 */
import type * as api from '@landfall/api'
import { matchesAny } from '../selectors.ts'

type Labels = Readonly<Record<string, string>>

export interface Selecting {
  readonly bgpAdvertisements: readonly api.BGPAdvertisement[]
  readonly peers: readonly api.BGPPeer[]
}

interface Found {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly field: string
}

const selectors = 'spec.nodeSelectors'

/** @param labels of the node; undefined: it is not known, and everything concerns it */
export function concerningNode<F extends Found>(
  found: readonly F[],
  { bgpAdvertisements, peers }: Selecting,
  labels: Labels | undefined,
): readonly F[] {
  if (labels === undefined) return found
  const elsewhere = new Set<string>()
  const note = (kind: string, objects: readonly (api.BGPAdvertisement | api.BGPPeer)[]): void => {
    for (const { meta, spec } of objects)
      if (!matchesAny(spec?.nodeSelectors ?? [], labels))
        elsewhere.add(`${kind} ${meta.namespace}/${meta.name}`)
  }
  note('BGPAdvertisement', bgpAdvertisements)
  note('BGPPeer', peers)
  // By a selector that is wrong nobody knows which nodes are meant.
  const unclear = new Set(found.filter(({ field }) => field.startsWith(selectors)).map(idOf))
  return found.filter((one) => !elsewhere.has(idOf(one)) || unclear.has(idOf(one)))
}

function idOf({ kind, namespace, name }: Found): string {
  return `${kind} ${namespace}/${name}`
}
