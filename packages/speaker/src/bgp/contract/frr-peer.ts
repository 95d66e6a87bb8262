/** FRR as the contract's router. */
import type { PeerLab } from '../testing/peer-lab.ts'
import { until } from '../testing/until.ts'
import { type ContractPeer, neighbors as n, type SeenRoute } from './contract-peer.ts'

const all = Object.values(n)
const asOf = (address: string): number =>
  address === n.internal4 ? 65530 : address === n.large4 ? 4200000000 : 65000

export const frrConfiguration = `
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp graceful-restart stalepath-time 30
${all.map((address) => ` neighbor ${address} remote-as ${asOf(address)}`).join('\n')}
${all
  .filter((address) => address !== n.active4)
  .map((address) => ` neighbor ${address} passive`)
  .join('\n')}
 neighbor ${n.active4} timers connect 1
 neighbor ${n.password4} password secret
 neighbor ${n.far4} ebgp-multihop 5
 neighbor ${n.secured4} ttl-security hops 1
 neighbor ${n.restarting4} graceful-restart-helper
 neighbor ${n.restarting6} graceful-restart-helper
 address-family ipv4 unicast
${all.map((address) => `  neighbor ${address} activate`).join('\n')}
 exit-address-family
 address-family ipv6 unicast
${all.map((address) => `  neighbor ${address} activate`).join('\n')}
 exit-address-family
`

interface Path {
  readonly aspath: { readonly string: string }
  readonly nexthops: readonly { readonly ip: string; readonly scope?: string }[]
  readonly peer: { readonly peerId: string }
  readonly community?: { readonly string: string }
  readonly largeCommunity?: { readonly string: string }
  readonly extendedCommunity?: { readonly string: string }
  readonly locPrf?: number
  readonly metric?: number
}

export class FrrPeer implements ContractPeer {
  readonly name = 'frr'
  #lab: PeerLab | undefined

  async start(lab: PeerLab): Promise<void> {
    this.#lab = lab
    await lab.startFrr(frrConfiguration)
  }

  isUp(address: string): boolean {
    return this.#neighbor(address)['bgpState'] === 'Established'
  }

  timesUp(address: string): number | undefined {
    return Number(this.#neighbor(address)['connectionsEstablished'])
  }

  route(prefix: string, from: string): SeenRoute | undefined {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4'
    const { paths = [] } = this.#json<{ paths?: Path[] }>(`show bgp ${family} unicast ${prefix} json`)
    const path = paths.find(({ peer }) => peer.peerId === from)
    if (path === undefined) return undefined
    const words = (text: string | undefined) => (text ?? '').split(' ').filter(Boolean).toSorted()
    return {
      asPath: path.aspath.string === 'Local' ? '' : path.aspath.string,
      nextHop: path.nexthops.find(({ scope }) => scope !== 'link-local')?.ip ?? '',
      communities: words(path.community?.string),
      large: words(path.largeCommunity?.string),
      localPref: path.locPrf,
      med: path.metric,
      bandwidth: numberIn(/LB:\d+:(\d+)/.exec(path.extendedCommunity?.string ?? '')?.[1]),
    }
  }

  refresh(address: string): boolean {
    this.#lab?.vtysh(`clear bgp ipv4 unicast ${address} soft in`)
    return true
  }

  lastError(address: string): string {
    return JSON.stringify(this.#neighbor(address))
  }

  freeze(): void {
    this.#lab?.freeze('bgpd')
  }

  thaw(): void {
    this.#lab?.thaw('bgpd')
  }

  async restart(): Promise<void> {
    this.#lab?.vtysh('clear bgp *')
    await until('bgpd answers', () => this.#neighbor(n.plain4)['bgpState'] !== undefined)
  }

  #neighbor(address: string): Readonly<Record<string, unknown>> {
    return (
      this.#json<Record<string, Record<string, unknown>>>(`show bgp neighbor ${address} json`)[address] ?? {}
    )
  }

  #json<T>(command: string): T {
    return JSON.parse(this.#lab?.vtysh(command) || '{}') as T
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
