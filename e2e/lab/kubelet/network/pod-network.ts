// The pod network of one node, routed and without a bridge: each pod has a network namespace and a
// veth with a /32 and a /128; its gateways are 169.254.1.1, which stands on the node's lo, and
// fe80::1, which every host side has. Runs inside the node's network namespace.
import { createHash } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { run } from '../process/command.ts'
import { AddressPool, type PodAddresses } from './address-pool.ts'

export interface PodNetworkOptions {
  /** Begins the name of each namespace of this node's pods. */
  readonly namePrefix: string
  readonly nodeIPs: readonly [string, string]
  readonly podCIDRs: readonly [string, string]
  /** IPv4 addresses that the node itself answers for. */
  readonly clusterDNS: readonly string[]
}

export interface PodSandbox {
  readonly name: string
  readonly path: string
  readonly addresses: PodAddresses
}

const GATEWAY = '169.254.1.1'
const NAMESPACES = '/run/netns'

export class PodNetwork {
  readonly #options: PodNetworkOptions
  readonly #pool: AddressPool

  constructor(options: PodNetworkOptions) {
    this.#options = options
    this.#pool = new AddressPool(...options.podCIDRs)
  }

  /** Forwarding, the gateway address, and no way out for addresses of pods that are gone. */
  async prepareNode(): Promise<void> {
    sysctl('ipv4/ip_forward', '1')
    sysctl('ipv6/conf/all/forwarding', '1')
    for (const scope of ['all', 'default']) {
      sysctl(`ipv4/conf/${scope}/rp_filter`, '0')
      sysctl(`ipv4/conf/${scope}/send_redirects`, '0')
    }
    const [v4, v6] = this.#options.podCIDRs
    await run(
      'ip',
      ['-batch', '-'],
      [
        'link set lo up',
        // Scope link, else it would be a candidate for the source address of the node's own packets.
        ...[GATEWAY, ...this.#options.clusterDNS].map((own) => `addr replace ${own}/32 dev lo scope link`),
        `route replace unreachable ${v4} metric 4096`,
        `route replace unreachable ${v6} metric 4096`,
      ].join('\n'),
    )
  }

  async create(
    podUid: string,
    sysctls: readonly { readonly name: string; readonly value: string }[],
  ): Promise<PodSandbox> {
    const addresses = this.#pool.take()
    if (addresses === undefined) throw new Error('no free pod address on this node')
    const name = `${this.#options.namePrefix}${podUid.slice(0, 8)}`
    const sandbox: PodSandbox = { name, path: `${NAMESPACES}/${name}`, addresses }
    try {
      await run('ip', ['netns', 'add', name])
      await run('nsenter', [`--net=${sandbox.path}`, 'sh', '-eu', '-c', sysctlScript(sysctls)])
      const host = hostSide(name)
      await run('ip', ['-batch', '-'], this.#hostCommands(host, sandbox).join('\n'))
      await run('ip', ['-n', name, '-batch', '-'], podCommands(addresses).join('\n'))
      return sandbox
    } catch (problem) {
      await this.remove(sandbox)
      throw problem
    }
  }

  async remove(sandbox: PodSandbox): Promise<void> {
    // The host side first: the namespace itself goes only when the kernel gets round to it.
    await run('ip', ['link', 'delete', hostSide(sandbox.name)]).catch(() => '')
    await run('ip', ['netns', 'delete', sandbox.name]).catch(() => '')
    this.#pool.release(sandbox.addresses)
  }

  #hostCommands(host: string, { name, addresses }: PodSandbox): readonly string[] {
    const [v4, v6] = this.#options.nodeIPs
    return [
      `link add ${host} type veth peer name eth0 netns ${name}`,
      `link set ${host} addrgenmode none`,
      `link set ${host} up`,
      `addr add fe80::1/64 dev ${host} nodad`,
      `route replace ${addresses.v4}/32 dev ${host} src ${v4}`,
      `route replace ${addresses.v6}/128 dev ${host} src ${v6}`,
    ]
  }
}

/** Removes every pod namespace of a node that is gone; the host sides go with the node or with them. */
export async function removePodNamespaces(namePrefix: string): Promise<void> {
  let names: readonly string[]
  try {
    names = readdirSync(NAMESPACES).filter((name) => name.startsWith(namePrefix))
  } catch {
    return
  }
  for (const name of names) {
    await run('ip', ['link', 'delete', hostSide(name)]).catch(() => '')
    await run('ip', ['netns', 'delete', name]).catch(() => '')
  }
}

function hostSide(name: string): string {
  return `veth${createHash('sha256').update(name).digest('hex').slice(0, 10)}`
}

function podCommands({ v4, v6 }: PodAddresses): readonly string[] {
  return [
    'link set lo up',
    `addr add ${v4}/32 dev eth0`,
    `addr add ${v6}/128 dev eth0 nodad`,
    'link set eth0 up',
    `route add ${GATEWAY} dev eth0 scope link`,
    `route add default via ${GATEWAY} dev eth0`,
    'route add default via fe80::1 dev eth0',
  ]
}

function sysctlScript(sysctls: readonly { readonly name: string; readonly value: string }[]): string {
  const own = [
    // As container runtimes set it: any user may listen on any port.
    ['ipv4/ip_unprivileged_port_start', '0'],
    ['ipv6/conf/default/accept_dad', '0'],
    ['ipv6/conf/all/accept_dad', '0'],
  ] as const
  const wanted = sysctls.map(
    ({ name, value }) => [name.replace(/^net\./, '').replaceAll('.', '/'), value] as const,
  )
  return [...own, ...wanted].map(([name, value]) => `echo '${value}' > /proc/sys/net/${name}`).join('\n')
}

function sysctl(name: string, value: string): void {
  writeFileSync(`/proc/sys/net/${name}`, value)
}
