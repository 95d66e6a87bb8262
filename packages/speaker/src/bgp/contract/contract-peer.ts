/** What the contract suite asks of a real router, in the router's own words read to one form. */
import type { PeerLab } from '../testing/peer-lab.ts'

export interface SeenRoute {
  /** `65000 65000` */
  readonly asPath: string
  /** The global one. */
  readonly nextHop: string
  /** `65000:7`, sorted. */
  readonly communities: readonly string[]
  /** `65000:1:2`, sorted. */
  readonly large: readonly string[]
  readonly localPref: number | undefined
  readonly med: number | undefined
  /** Of the link, in bytes a second. */
  readonly bandwidth: number | undefined
}

export interface ContractPeer {
  readonly name: 'frr' | 'bird' | 'gobgp'
  /** Families of sessions that TTL security works for. */
  readonly secures: readonly (4 | 6)[]
  /** It dials on while a neighbor's connection waits: two can collide. */
  readonly collides: boolean
  /** Its routes are the kernel's. */
  readonly forwards: boolean
  /** How it sees AS 4200000000 where it knows two octets of AS numbers; undefined: it cannot be told so. */
  readonly oldAS: '23456' | '4200000000' | undefined
  /** In `lastError` when the speaker on node 1 has stopped. */
  readonly ofStop: RegExp
  /** Of 65530, with the neighbors of `neighbors`. */
  start(lab: PeerLab): Promise<void>
  isUp(address: string): boolean
  /** Another text after each time that the session came up. */
  upSince(address: string): string
  /** From that neighbor; undefined: it has no such route. */
  route(prefix: string, from: string): SeenRoute | undefined
  /** Asking the neighbor for all routes again; undefined: it never does. */
  readonly refreshes: Refreshes | undefined
  /** What it says of the last NOTIFICATION or error that it got from the neighbor. */
  lastError(address: string): string
  freeze(): void
  thaw(): void
  restart(): Promise<void>
}

export interface Refreshes {
  ask(address: string): void
  /** How many UPDATEs, or routes in them, the neighbor has sent so far. */
  received(address: string): number
}

export type Neighbor = keyof typeof ofIPv4

/** Addresses of node 1 and 2, and of node `far`, and what each stands for. We are AS 65000 unless said. */
const ofIPv4 = {
  plain: '10.77.0.11',
  /** Password `secret`. */
  password: '10.77.0.21',
  /** Inside the AS. */
  internal: '10.77.0.31',
  /** ebgp-multihop, over a hop. */
  far: '10.78.0.11',
  /** We are AS 4200000000, and the router knows two octets of it, where it can be told so. */
  old: '10.77.0.51',
  /** We are AS 4200000000. */
  large: '10.77.0.12',
  /** The router dials as well as we. */
  active: '10.77.0.22',
  /** TTL security, one hop. */
  secured: '10.77.0.32',
  /** Keeps routes over a restart. */
  restarting: '10.77.0.42',
} as const

const ofIPv6 = {
  plain: 'fd77::11',
  password: 'fd77::21',
  internal: 'fd77::31',
  far: 'fd78::11',
  old: 'fd77::51',
  large: 'fd77::12',
  active: 'fd77::22',
  secured: 'fd77::32',
  restarting: 'fd77::42',
} as const satisfies Readonly<Record<Neighbor, string>>

export const neighbors = { 4: ofIPv4, 6: ofIPv6 } as const

export interface NeighborAddress {
  readonly is: Neighbor
  readonly address: string
  /** A name of its own. */
  readonly name: string
  /** Its AS, as a router of four octets sees it. */
  readonly asn: number
}

export const allNeighbors: readonly NeighborAddress[] = ([4, 6] as const).flatMap((family) =>
  Object.entries(neighbors[family]).map(([text, address]) => {
    const is = text as Neighbor
    return { is, address, name: `${is}${family}`, asn: asOf(is) }
  }),
)

function asOf(is: Neighbor): number {
  if (is === 'internal') return 65530
  return is === 'large' || is === 'old' ? 4200000000 : 65000
}
