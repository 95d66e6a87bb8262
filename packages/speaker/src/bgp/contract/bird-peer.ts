/** BIRD as the contract's router. */
import type { PeerLab } from '../testing/peer-lab.ts'
import { type ContractPeer, neighbors as n, type SeenRoute } from './contract-peer.ts'

const more: Readonly<Record<string, string>> = {
  [n.password4]: 'password "secret";',
  [n.far4]: 'multihop 5;',
  [n.secured4]: 'ttl security on;',
  [n.active4]: 'passive off; connect retry time 1; connect delay time 1;',
  [n.restarting4]: 'graceful restart aware;',
  [n.restarting6]: 'graceful restart aware;',
}
const asOf = (address: string): number =>
  address === n.internal4 ? 65530 : address === n.large4 ? 4200000000 : 65000

const protocol = ([name, address]: readonly [string, string]): string =>
  `protocol bgp ${name} from node { neighbor ${address} as ${asOf(address)}; ${
    address === n.far4 ? '' : 'direct;'
  } ${more[address] ?? ''} }`

export const birdConfiguration = `
router id 10.77.0.1;
protocol device {}
protocol direct { ipv4; ipv6; }
template bgp node {
  local as 65530;
  passive on;
  error wait time 1, 2;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
${Object.entries(n).map(protocol).join('\n')}
`

export class BirdPeer implements ContractPeer {
  readonly name = 'bird'
  #lab: PeerLab | undefined

  async start(lab: PeerLab): Promise<void> {
    this.#lab = lab
    await lab.startBird(birdConfiguration)
  }

  isUp(address: string): boolean {
    return /BGP state:\s+Established/.test(this.#protocol(address))
  }

  timesUp(): undefined {
    return undefined
  }

  route(prefix: string, from: string): SeenRoute | undefined {
    const text = this.#bird(`show route all for ${prefix} protocol ${nameOf(from)}`)
    const field = (name: string) => new RegExp(`BGP\\.${name}: (.*)`).exec(text)?.[1]?.trim()
    const asPath = field('as_path')
    if (asPath === undefined || !text.includes(prefix)) return undefined
    const lists = (value: string | undefined) =>
      [...(value ?? '').matchAll(/\(([^)]*)\)/g)]
        .map(([, inner = '']) => inner.replaceAll(/,\s*/g, ':'))
        .toSorted()
    const number = (value: string | undefined) => (value === undefined ? undefined : Number(value))
    return {
      asPath,
      nextHop: field('next_hop')?.split(' ')[0] ?? '',
      communities: lists(field('community')),
      large: lists(field('large_community')),
      localPref: number(field('local_pref')),
      med: number(field('med')),
      bandwidth: bandwidthIn(field('ext_community')),
    }
  }

  refresh(address: string): boolean {
    this.#bird(`reload in ${nameOf(address)}`)
    return true
  }

  lastError(address: string): string {
    return this.#protocol(address)
  }

  freeze(): void {
    this.#lab?.freeze('bird')
  }

  thaw(): void {
    this.#lab?.thaw('bird')
  }

  async restart(): Promise<void> {
    this.#bird('restart all')
  }

  #protocol(address: string): string {
    return this.#bird(`show protocols all ${nameOf(address)}`)
  }

  #bird(command: string): string {
    return this.#lab?.birdc(command) ?? ''
  }
}

function nameOf(address: string): string {
  return Object.entries(n).find(([, one]) => one === address)?.[0] ?? ''
}

/** BIRD gives it no name: `(unknown 0x4004, 65000, 1290693416)`. */
function bandwidthIn(text: string | undefined): number | undefined {
  const [, bits] = /\(unknown 0x4004, \d+, (\d+)\)/.exec(text ?? '') ?? []
  if (bits === undefined) return undefined
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, Number(bits))
  return view.getFloat32(0)
}
