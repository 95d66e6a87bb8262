/**
 * What a user would say of their own site, said of the lab's: which addresses are free, and where the routers are.
 */

import type { Lab, Manifest } from '../lab/index.ts'
import { routerAsn } from '../lab/routers/frr-config.ts'

export const addresses = { ipv4: '192.168.77.200-192.168.77.250', ipv6: 'fd00:77::200-fd00:77::2ff' } as const
export const clusterASN = 64513

/** One pool, announced on the LAN and to both routers. */
export function siteObjects(lab: Lab): readonly Manifest[] {
  const metadata = (name: string) => ({ name, namespace: 'metallb-system' })
  const selected = { spec: { ipAddressPools: ['default'] } }
  return [
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: metadata('default'),
      spec: { addresses: [addresses.ipv4, addresses.ipv6] },
    },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: metadata('default'), ...selected },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'BGPAdvertisement',
      metadata: metadata('default'),
      ...selected,
    },
    ...lab.routers.flatMap((router) => [
      peer(`${router.name}-v4`, router.ipv4),
      peer(`${router.name}-v6`, router.ipv6),
    ]),
  ]
}

function peer(name: string, peerAddress: string): Manifest {
  return {
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { name, namespace: 'metallb-system' },
    spec: { myASN: clusterASN, peerASN: routerAsn, peerAddress },
  }
}
