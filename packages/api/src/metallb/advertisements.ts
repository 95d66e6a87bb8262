/** metallb.io/v1beta1 L2Advertisement and BGPAdvertisement: how the addresses of pools are announced. */
import type { KubeObject } from '@landfall/kube/model'
import { int32, list, object, optional, rules, type Shape, text } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'
import { labelSelector, selectors } from '../schema/label-selector.ts'

const shared = {
  ipAddressPools: optional(list(text('A pool.'), 'Pools by name; all when no pool is named or selected.')),
  ipAddressPoolSelectors: optional(selectors('Pools by their labels.')),
  nodeSelectors: optional(selectors('Nodes that announce; all when empty.')),
  serviceSelectors: optional(selectors('Services that are announced; all when empty.')),
}

export const l2AdvertisementSpec = object({
  ...shared,
  interfaces: optional(list(text('An interface.'), 'Interfaces that answer; all when empty.')),
  preferredNodeSelectors: optional(
    list(
      object({
        weight: int32('Added to the rank of each node that matches.', { minimum: 1, maximum: 100 }),
        preference: labelSelector,
      }),
      'Nodes that should announce rather than others.',
      { maxItems: 500 },
    ),
  ),
})
export type L2AdvertisementSpec = Shape<typeof l2AdvertisementSpec>

export const bgpAdvertisementSpec = object(
  {
    ...shared,
    aggregationLength: optional(
      int32('Length of the IPv4 prefix that is announced.', { minimum: 1, maximum: 32, default: 32 }),
    ),
    aggregationLengthV6: optional(
      int32('Length of the IPv6 prefix that is announced.', { minimum: 1, maximum: 128, default: 128 }),
    ),
    localPref: optional(int32('LOCAL_PREF on internal sessions.', { minimum: 0 })),
    communities: optional(list(text('`n:n`, `large:n:n:n` or an alias.'), 'Communities of the routes.')),
    peers: optional(list(text('A BGPPeer.'), 'Peers by name; all when empty.')),
  },
  rules({
    rule:
      '!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ' +
      '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
      '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
    message: 'with serviceSelectors, aggregationLength must be 32 and aggregationLengthV6 128',
  }),
)
export type BGPAdvertisementSpec = Shape<typeof bgpAdvertisementSpec>

export const advertisementStatus = object({ conditions: optional(conditions) })
export type AdvertisementStatus = Shape<typeof advertisementStatus>

export interface L2Advertisement extends KubeObject {
  readonly spec?: L2AdvertisementSpec
  readonly status?: AdvertisementStatus
}

export interface BGPAdvertisement extends KubeObject {
  readonly spec?: BGPAdvertisementSpec
  readonly status?: AdvertisementStatus
}
