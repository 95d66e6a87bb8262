/** FRR as the contract's router. */
import type { PeerLab } from '../testing/peer-lab.ts'
import { until } from '../testing/until.ts'
import {
  allNeighbors,
  type ContractPeer,
  type Neighbor,
  neighbors,
  type Refreshes,
  type SeenRoute,
} from './contract-peer.ts'

const more: Readonly<Partial<Record<Neighbor, readonly string[]>>> = {
  active: ['timers connect 1'],
  password: ['password secret'],
  far: ['ebgp-multihop 5'],
  // No capability at all, which is the only way.
  old: ['dont-capability-negotiate'],
  secured: ['ttl-security hops 1'],
  restarting: ['graceful-restart-helper'],
}
const lines = allNeighbors.flatMap(({ is, address, asn }) => {
  const own = [`remote-as ${asn}`, ...(is === 'active' ? [] : ['passive'])]
  return [...own, ...(more[is] ?? [])].map((line) => ` neighbor ${address} ${line}`)
})
const activate = allNeighbors.map(({ address }) => `  neighbor ${address} activate`).join('\n')

export const frrConfiguration = `
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp graceful-restart stalepath-time 30
${lines.join('\n')}
 address-family ipv4 unicast
${activate}
 exit-address-family
 address-family ipv6 unicast
${activate}
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
  readonly secures = [4, 6] as const
  readonly collides = true
  readonly forwards = true
  readonly oldAS = '23456'
  readonly ofStop = /"lastShutdownDescription":"speaker on node-1 stops"/
  #lab: PeerLab | undefined

  async start(lab: PeerLab): Promise<void> {
    this.#lab = lab
    await lab.startFrr(frrConfiguration)
  }

  isUp(address: string): boolean {
    return this.#neighbor(address)['bgpState'] === 'Established'
  }

  upSince(address: string): string {
    return String(this.#neighbor(address)['connectionsEstablished'])
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

  readonly refreshes: Refreshes = {
    ask: (address) => void this.#lab?.vtysh(`clear bgp ipv4 unicast ${address} soft in`),
    received: (address) => Number(/"updatesRecv":(\d+)/.exec(this.lastError(address))?.[1] ?? 0),
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
    await until('bgpd answers', () => this.#neighbor(neighbors[4].plain)['bgpState'] !== undefined)
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
