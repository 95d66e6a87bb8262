/** metallb.io/v1beta1 IPAddressPool: addresses that Services may get. */
import type { KubeObject } from '@landfall/kube/model'
import { flag, int64, list, object, optional, rules, type Shape, text } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'
import { selectors } from '../schema/label-selector.ts'

export const serviceAllocation = object({
  priority: optional(int64('The lower the sooner; 0 or absent comes last.')),
  namespaces: optional(list(text('A namespace.'), 'Namespaces whose Services may use the pool.')),
  namespaceSelectors: optional(selectors('The same by labels of the namespace.')),
  serviceSelectors: optional(selectors('Labels of the Services that may use the pool.')),
})

const address = text('A CIDR, or first-last.', {
  maxLength: 128,
  ...rules({
    rule: "self.contains('/') || self.contains('-')",
    message: 'write a CIDR as 192.0.2.0/24, a range as 192.0.2.1-192.0.2.9, a single address as 192.0.2.1/32',
  }),
})

export const ipAddressPoolSpec = object({
  addresses: list(address, 'Addresses, tried in this order.', { minItems: 1, maxItems: 10_000 }),
  autoAssign: optional(flag('Whether Services that ask for nothing get addresses of the pool.', true)),
  avoidBuggyIPs: optional(flag('Leave out IPv4 addresses that end in .0 or .255.', false)),
  serviceAllocation: optional(serviceAllocation),
})
export type IPAddressPoolSpec = Shape<typeof ipAddressPoolSpec>

const counter = { default: 0 } as const

export const ipAddressPoolStatus = object({
  assignedIPv4: optional(int64('IPv4 addresses in use.', counter)),
  assignedIPv6: optional(int64('IPv6 addresses in use.', counter)),
  availableIPv4: optional(int64('Free IPv4 addresses.', counter)),
  availableIPv6: optional(int64('Free IPv6 addresses.', counter)),
  conditions: optional(conditions),
})
export type IPAddressPoolStatus = Shape<typeof ipAddressPoolStatus>

export interface IPAddressPool extends KubeObject {
  readonly spec: IPAddressPoolSpec
  readonly status?: IPAddressPoolStatus
}
