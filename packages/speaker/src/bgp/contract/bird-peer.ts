/** BIRD as the contract's router. */
import type { PeerLab } from '../testing/peer-lab.ts'
import {
  allNeighbors,
  type ContractPeer,
  type Neighbor,
  type NeighborAddress,
  type Refreshes,
  type SeenRoute,
} from './contract-peer.ts'

const more: Readonly<Partial<Record<Neighbor, string>>> = {
  password: 'password "secret";',
  far: 'multihop 5;',
  old: 'enable as4 off;',
  secured: 'ttl security on;',
  active: 'passive off; connect retry time 1; connect delay time 1;',
  restarting: 'graceful restart aware;',
}

const protocol = ({ is, address, name, asn }: NeighborAddress): string =>
  `protocol bgp ${name} from node { neighbor ${address} ${is === 'old' ? 'external' : `as ${asn}`}; ${
    is === 'far' ? '' : 'direct;'
  } ${more[is] ?? ''} }`

const birdConfiguration = `
router id 10.77.0.1;
protocol device {}
protocol direct { ipv4; ipv6; }
protocol kernel { ipv4 { export where source = RTS_BGP; }; }
protocol kernel { ipv6 { export where source = RTS_BGP; }; }
template bgp node {
  local as 65530;
  passive on;
  error wait time 1, 2;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
${allNeighbors.map(protocol).join('\n')}
`

export class BirdPeer implements ContractPeer {
  readonly name = 'bird'
  readonly secures = [4, 6] as const
  readonly collides = true
  readonly forwards = true
  /** It reads AS4_PATH. */
  readonly oldAS = '4200000000'
  readonly ofStop = /Received: Administrative shutdown/
  #lab: PeerLab | undefined

  async start(lab: PeerLab): Promise<void> {
    this.#lab = lab
    await lab.startBird(birdConfiguration)
  }

  isUp(address: string): boolean {
    return /BGP state:\s+Established/.test(this.#protocol(address))
  }

  /** In whole seconds: BIRD counts back from now, and a clock that is corrected meanwhile moves it by a millisecond. */
  upSince(address: string): string {
    const lines = this.#bird(`show protocols ${nameOf(address)}`)
      .trim()
      .split('\n')
    return (lines.at(-1) ?? '').replace(/\.\d+/, '')
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

  readonly refreshes: Refreshes = {
    ask: (address) => void this.#bird(`reload in ${nameOf(address)}`),
    received: (address) => Number(/Import updates:\s+(\d+)/.exec(this.#protocol(address))?.[1] ?? 0),
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
  return allNeighbors.find((one) => one.address === address)?.name ?? ''
}

/** BIRD gives it no name: `(unknown 0x4004, 65000, 1290693416)`. */
function bandwidthIn(text: string | undefined): number | undefined {
  const [, bits] = /\(unknown 0x4004, \d+, (\d+)\)/.exec(text ?? '') ?? []
  if (bits === undefined) return undefined
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, Number(bits))
  return view.getFloat32(0)
}
