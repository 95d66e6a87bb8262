// From a topology to the `ip -batch` lines that make it. Pure.
// Pairs of veth are made directly between two namespaces, so nothing ever stands in the root one.
// Addresses carry `nodad`: the lab's are unique, and detection would hold IPv6 back for a second.
import { type Host, hostNamed, hostsOf, portName, type Segment, type Topology } from './topology.ts'

export interface NetworkCommands {
  /** In the root namespace: the namespaces and the links between them. */
  readonly root: readonly string[]
  /** By namespace, run after `root`. */
  readonly inside: ReadonlyMap<string, readonly string[]>
}

export function networkCommands(topology: Topology): NetworkCommands {
  const links = topology.hosts.flatMap((host) =>
    host.interfaces.map(
      (i) =>
        `link add ${portName(host, i)} netns ${topology.bridgeNetns} type veth peer name ${i.name} netns ${host.netns}`,
    ),
  )
  return {
    root: [...namespaces(topology).map((name) => `netns add ${name}`), ...links],
    inside: new Map([
      [topology.bridgeNetns, bridgeCommands(topology)],
      ...topology.hosts.map((host) => [host.netns, hostCommands(topology, host)] as const),
    ]),
  }
}

export function namespaces(topology: Topology): readonly string[] {
  return [topology.bridgeNetns, ...topology.hosts.map((h) => h.netns)]
}

const bridgeOf: Readonly<Record<Segment, string>> = { lan: 'br-lan', back: 'br-back' }

/** Takes a host off its segment: pulls the cable, or (silently) leaves carrier and drops the frames. */
export function cutCommands(host: Host, silent: boolean): readonly string[] {
  return host.interfaces.map((i) => `link set ${portName(host, i)} ${silent ? 'nomaster' : 'down'}`)
}

export function restoreCommands(host: Host): readonly string[] {
  return host.interfaces.map((i) => `link set ${portName(host, i)} master ${bridgeOf[i.segment]} up`)
}

function bridgeCommands(topology: Topology): readonly string[] {
  const bridges = Object.values(bridgeOf).flatMap((name) => [
    `link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${name} up`,
  ])
  return ['link set lo up', ...bridges, ...topology.hosts.flatMap(restoreCommands)]
}

function hostCommands(topology: Topology, host: Host): readonly string[] {
  const interfaces = host.interfaces.flatMap((i) => [
    `link set ${i.name} up`,
    `addr add ${i.ipv4}/24 dev ${i.name}`,
    `addr add ${i.ipv6}/64 dev ${i.name} nodad`,
  ])
  return ['link set lo up', ...interfaces, ...gatewayRoutes(topology, host), ...podRoutes(topology, host)]
}

/** Everybody but the routers sends what is not local to both routers; those know no way further. */
function gatewayRoutes(topology: Topology, host: Host): readonly string[] {
  const segment = host.interfaces[0]?.segment
  if (host.role === 'router' || segment === undefined) return []
  const hops = ['r1', 'r2'].map((name) =>
    hostNamed(topology, name).interfaces.find((i) => i.segment === segment),
  )
  const via = (family: 'ipv4' | 'ipv6') => hops.map((hop) => `nexthop via ${hop?.[family]}`).join(' ')
  return [`route add 0.0.0.0/0 ${via('ipv4')}`, `route add ::/0 ${via('ipv6')}`]
}

function podRoutes(topology: Topology, host: Host): readonly string[] {
  if (host.role !== 'control-plane' && host.role !== 'node') return []
  return hostsOf(topology, 'node').flatMap((node) => {
    if (node.name === host.name || node.podCIDRs === undefined) return []
    const [v4, v6] = node.podCIDRs
    return [`route add ${v4} via ${node.ipv4}`, `route add ${v6} via ${node.ipv6}`]
  })
}

/** Sysctls of a host's namespace, as `key=value`. */
export function sysctls(host: Host): readonly string[] {
  const forward = host.role === 'node' || host.role === 'router'
  return [
    'net.ipv4.conf.all.rp_filter=0',
    'net.ipv4.conf.default.rp_filter=0',
    ...host.interfaces.map((i) => `net.ipv4.conf.${i.name}.rp_filter=0`),
    'net.ipv4.fib_multipath_hash_policy=1',
    'net.ipv6.fib_multipath_hash_policy=1',
    'net.ipv6.conf.all.accept_ra=0',
    'net.ipv6.conf.default.accept_dad=0',
    ...(forward ? ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'] : []),
  ]
}
