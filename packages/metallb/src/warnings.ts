/**
 * What is valid, but hardly meant: names of pools and peers that do not exist. As MetalLB does, an advertisement
 * goes by those that do exist, and comes to hold for the others once they are made.
 */
import type { BGPAdvertisement, L2Advertisement } from '@landfall/api'
import type { KubeObject } from '@landfall/kube/model'
import type { MetallbObjects } from './build-config.ts'
import { type Finding, findingsOf } from './refusal.ts'

export type WarningReason = 'UnknownPool' | 'UnknownPeer'
export type Warning = Finding<WarningReason>

/** In the order of kind, name and field. */
export function findWarnings(objects: MetallbObjects): readonly Warning[] {
  const own = <T extends KubeObject>(all: readonly T[]) =>
    all.filter(({ meta }) => meta.namespace === objects.namespace).toSorted(byName)
  const namesOf = (all: readonly KubeObject[]) => new Set(own(all).map(({ meta }) => meta.name))
  const pools = namesOf(objects.pools)
  const peers = namesOf(objects.peers)
  return [
    ...own(objects.bgpAdvertisements).flatMap((one) => warningsOf('BGPAdvertisement', one, pools, peers)),
    ...own(objects.l2Advertisements).flatMap((one) => warningsOf('L2Advertisement', one, pools, peers)),
  ]
}

function warningsOf(
  kind: string,
  object: BGPAdvertisement | L2Advertisement,
  pools: ReadonlySet<string>,
  peers: ReadonlySet<string>,
): readonly Warning[] {
  const findings = findingsOf<WarningReason>(kind, object)
  const spec: NonNullable<BGPAdvertisement['spec'] & L2Advertisement['spec']> = object.spec ?? {}
  for (const [index, name] of (spec.ipAddressPools ?? []).entries()) {
    const problem = `there is no IPAddressPool ${JSON.stringify(name)}`
    if (!pools.has(name)) findings.report(`spec.ipAddressPools[${index}]`, 'UnknownPool', problem)
  }
  for (const [index, name] of (spec.peers ?? []).entries()) {
    const problem = `there is no BGPPeer ${JSON.stringify(name)}`
    if (!peers.has(name)) findings.report(`spec.peers[${index}]`, 'UnknownPeer', problem)
  }
  return findings.found
}

function byName(a: KubeObject, b: KubeObject): number {
  return a.meta.name < b.meta.name ? -1 : 1
}
