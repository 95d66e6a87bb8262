// The shape of a lab: which hosts it has, where they stand and what they are called. Pure.
// One LAN holds the control plane, the nodes, a client and two routers; behind the routers is a
// second network with a client of its own. Labs are isolated, so all use the same addresses.
export interface Addresses {
  readonly ipv4: string
  readonly ipv6: string
}

export interface Interface extends Addresses {
  readonly name: string
  /** The bridge that it hangs on. */
  readonly segment: Segment
}

export type Segment = 'lan' | 'back'
export type Role = 'control-plane' | 'node' | 'client' | 'router'

export interface Host extends Addresses {
  readonly name: string
  readonly role: Role
  readonly netns: string
  /** The first one carries the host's own addresses. */
  readonly interfaces: readonly Interface[]
  /** A node's part of the pod network: IPv4, IPv6. */
  readonly podCIDRs?: readonly [string, string]
}

export interface Topology {
  readonly id: string
  readonly prefix: string
  /** The namespace of both bridges. */
  readonly bridgeNetns: string
  readonly hosts: readonly Host[]
}

export const lan = { ipv4: '192.168.77.0/24', ipv6: 'fd00:77::/64' }
export const back = { ipv4: '192.168.78.0/24', ipv6: 'fd00:78::/64' }
export const podNetwork = { ipv4: '10.244.0.0/16', ipv6: 'fd00:10:244::/56' }
export const serviceNetwork = { ipv4: '10.96.0.0/16', ipv6: 'fd00:10:96::/112' }
/** The `kubernetes` Service: the first address of each service network. */
export const apiService = { ipv4: '10.96.0.1', ipv6: 'fd00:10:96::1' }
/** Where cluster DNS answers: an address of the node's own, so that no pod has to be up for it. */
export const clusterDNS = ['169.254.77.53']
export const apiPort = 6443
export const maxNodes = 80

/** No dashes: no lab's prefix may begin another's. */
const idPattern = /^[a-z0-9]{1,16}$/

export function labPrefix(id: string): string {
  if (!idPattern.test(id)) {
    throw new RangeError(`a lab's id is 1 to 16 of a-z and 0-9, not '${id}'`)
  }
  return `lf-${id}-`
}

export function labTopology(o: { readonly id: string; readonly nodes: number }): Topology {
  if (!Number.isInteger(o.nodes) || o.nodes < 1 || o.nodes > maxNodes) {
    throw new RangeError(`a lab has 1 to ${maxNodes} nodes, not ${o.nodes}`)
  }
  const prefix = labPrefix(o.id)
  const host = (name: string, role: Role, ...interfaces: readonly [Interface, ...Interface[]]): Host => ({
    name,
    role,
    netns: prefix + name,
    ipv4: interfaces[0].ipv4,
    ipv6: interfaces[0].ipv6,
    interfaces,
  })
  const nodes = Array.from(
    { length: o.nodes },
    (_, i): Host => ({
      ...host(`n${i + 1}`, 'node', onLan(11 + i)),
      podCIDRs: [`10.244.${i + 1}.0/24`, `fd00:10:244:${(i + 1).toString(16)}::/64`],
    }),
  )
  return {
    id: o.id,
    prefix,
    bridgeNetns: `${prefix}lan`,
    hosts: [
      host('cp', 'control-plane', onLan(2)),
      ...nodes,
      host('client', 'client', onLan(100)),
      host('r1', 'router', onLan(251), onBack('eth1', 1)),
      host('r2', 'router', onLan(252), onBack('eth1', 2)),
      host('client2', 'client', onBack('eth0', 100)),
    ],
  }
}

export function hostNamed(topology: Topology, name: string): Host {
  const host = topology.hosts.find((h) => h.name === name)
  if (host === undefined) {
    const names = topology.hosts.map((h) => h.name).join(', ')
    throw new RangeError(`no host '${name}' in lab '${topology.id}'; there are ${names}`)
  }
  return host
}

export function hostsOf(topology: Topology, role: Role): readonly Host[] {
  return topology.hosts.filter((h) => h.role === role)
}

/** The bridge's end of a host's interface; at most 15 characters as the kernel wants. */
export function portName(host: Host, iface: Interface): string {
  return iface.segment === 'lan' ? `p-${host.name}` : `b-${host.name}`
}

function onLan(n: number): Interface {
  return { name: 'eth0', segment: 'lan', ipv4: `192.168.77.${n}`, ipv6: `fd00:77::${n}` }
}

function onBack(name: string, n: number): Interface {
  return { name, segment: 'back', ipv4: `192.168.78.${n}`, ipv6: `fd00:78::${n}` }
}
