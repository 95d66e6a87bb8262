/** GoBGP as the contract's router. */
import type { PeerLab } from '../testing/peer-lab.ts'
import { allNeighbors, type ContractPeer, type NeighborAddress, type SeenRoute } from './contract-peer.ts'

const restart = `
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 120
    notification-enabled = true
`
const neighbor = ({ is, address, asn }: NeighborAddress): string => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${asn}
    ${is === 'password' ? 'auth-password = "secret"' : ''}
  [neighbors.transport.config]
    passive-mode = ${is !== 'active'}
  ${is === 'far' ? '[neighbors.ebgp-multihop.config]\n    enabled = true\n    multihop-ttl = 5' : ''}
  ${is === 'secured' ? '[neighbors.ttl-security.config]\n    enabled = true\n    ttl-min = 255' : ''}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  ${is === 'restarting' ? restart : ''}
${(['ipv4-unicast', 'ipv6-unicast'] as const)
  .map(
    (name) => `
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${name}"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = ${is === 'restarting'}
`,
  )
  .join('')}`

export const gobgpConfiguration = `
[global.config]
  as = 65530
  router-id = "10.77.0.1"
${allNeighbors.map(neighbor).join('')}
`

interface Attribute {
  readonly type: number
  readonly nexthop?: string
  readonly value?: unknown
  readonly metric?: number
  readonly communities?: readonly number[]
  readonly as_paths?: readonly { readonly asns: readonly number[] }[]
}

interface Path {
  readonly attrs: readonly Attribute[]
  readonly 'neighbor-ip'?: string
  readonly stale?: boolean
}

export class GobgpPeer implements ContractPeer {
  readonly name = 'gobgp'
  /** Over IPv6 it answers a connection with a hop limit below 255. */
  readonly secures = [4] as const
  readonly collides = false
  readonly forwards = false
  readonly oldAS = undefined
  /** It keeps what it got. */
  readonly refreshes = undefined
  readonly ofStop = /speaker on node-1 stops/
  #lab: PeerLab | undefined

  async start(lab: PeerLab): Promise<void> {
    this.#lab = lab
    await lab.startGobgp(gobgpConfiguration)
  }

  isUp(address: string): boolean {
    return /BGP state = \w*ESTABLISHED/.test(this.#gobgp('neighbor', address))
  }

  upSince(address: string): string {
    return /"uptime":\s*(\{[^}]*\}|"[^"]*")/.exec(this.#gobgp('-j', 'neighbor', address))?.[1] ?? ''
  }

  route(prefix: string, from: string): SeenRoute | undefined {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4'
    const text = this.#gobgp('-j', 'neighbor', from, 'adj-in', '-a', family)
    const table = JSON.parse(text.startsWith('{') ? text : '{}') as Readonly<Record<string, readonly Path[]>>
    const path = table[prefix]?.[0]
    if (path === undefined) return undefined
    const of = (type: number) => path.attrs.find((attribute) => attribute.type === type)
    const asns = of(2)?.as_paths?.flatMap((segment) => segment.asns) ?? []
    return {
      asPath: asns.join(' '),
      nextHop: of(3)?.nexthop ?? of(14)?.nexthop ?? '',
      communities: (of(8)?.communities ?? []).map((c) => `${c >>> 16}:${c & 0xffff}`).toSorted(),
      large: largeOf(of(32)?.value),
      localPref: numberOf(of(5)?.value),
      med: of(4)?.metric,
      bandwidth: bandwidthIn(of(16)?.value),
    }
  }

  lastError(address: string): string {
    const told = (this.#lab?.logOf('gobgpd') ?? '').split('\n').filter((line) => line.includes(address))
    return [this.#gobgp('neighbor', address), ...told].join('\n')
  }

  freeze(): void {
    this.#lab?.freeze('gobgpd')
  }

  thaw(): void {
    this.#lab?.thaw('gobgpd')
  }

  async restart(): Promise<void> {
    await this.#lab?.end('gobgpd')
    await this.#lab?.startGobgp(gobgpConfiguration)
  }

  #gobgp(...args: readonly string[]): string {
    return this.#lab?.gobgp(...args) ?? ''
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function largeOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return value
    .map((one: { ASN: number; LocalData1: number; LocalData2: number }) =>
      [one.ASN, one.LocalData1, one.LocalData2].join(':'),
    )
    .toSorted()
}

function bandwidthIn(value: unknown): number | undefined {
  if (!Array.isArray(value)) return undefined
  const all: readonly { readonly subtype?: number; readonly bandwidth?: number }[] = value
  return all.find(({ subtype }) => subtype === 4)?.bandwidth
}
