// hostPort: what comes to the port on any address of the node goes to the pod, by nftables DNAT in a
// table of the lab's own, rewritten whole at each change.
import { isIPv6 } from 'node:net'
import { run } from '../process/command.ts'

export interface HostPort {
  readonly hostIP: string | undefined
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp'
  readonly podPort: number
  /** IPv4 and IPv6. */
  readonly podIPs: readonly [string, string]
}

const TABLE = 'inet lab_host_ports'

export class HostPorts {
  readonly #pods = new Map<string, readonly HostPort[]>()
  #pending: Promise<unknown> = Promise.resolve()

  /** An empty list removes the pod's. Changes are applied one after the other. */
  set(podUid: string, ports: readonly HostPort[]): Promise<void> {
    if (ports.length === 0 && !this.#pods.has(podUid)) return Promise.resolve()
    if (ports.length === 0) this.#pods.delete(podUid)
    else this.#pods.set(podUid, ports)
    const applied = this.#pending.then(async () => {
      await run('nft', ['-f', '-'], ruleset([...this.#pods.values()].flat()))
    })
    this.#pending = applied.catch(() => {})
    return applied
  }
}

export function ruleset(ports: readonly HostPort[]): string {
  const rules = ports.flatMap(rulesOf).map((rule) => `    ${rule}`)
  // Packets of the node itself pass output, all others prerouting. A pod that calls its own host port
  // would answer itself past the translation: its source becomes the node's.
  return [
    `table ${TABLE} {}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    '  chain ports {',
    ...rules,
    '  }',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    '    fib daddr type local jump ports',
    '  }',
    '  chain output {',
    '    type nat hook output priority -100; policy accept;',
    '    fib daddr type local jump ports',
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...ports.flatMap(({ podIPs: [v4, v6] }) => [
      `    ct status dnat ip saddr ${v4} ip daddr ${v4} masquerade`,
      `    ct status dnat ip6 saddr ${v6} ip6 daddr ${v6} masquerade`,
    ]),
    '  }',
    '}',
    '',
  ].join('\n')
}

function rulesOf(port: HostPort): readonly string[] {
  const [v4, v6] = port.podIPs
  const any =
    port.hostIP === undefined || port.hostIP === '' || port.hostIP === '0.0.0.0' || port.hostIP === '::'
  const families = any
    ? (['ip', 'ip6'] as const)
    : isIPv6(port.hostIP ?? '')
      ? (['ip6'] as const)
      : (['ip'] as const)
  return families.map((family) => {
    const to = family === 'ip' ? `${v4}:${port.podPort}` : `[${v6}]:${port.podPort}`
    const match = any
      ? `meta nfproto ${family === 'ip' ? 'ipv4' : 'ipv6'} `
      : `${family} daddr ${port.hostIP} `
    return `${match}${port.protocol} dport ${port.hostPort} dnat ${family} to ${to}`
  })
}
