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
  /** Of 65530, with the neighbors of `neighbors`. */
  start(lab: PeerLab): Promise<void>
  isUp(address: string): boolean
  /** How often the session came up; undefined where the router does not count. */
  timesUp(address: string): number | undefined
  /** From that neighbor; undefined: it has no such route. */
  route(prefix: string, from: string): SeenRoute | undefined
  /** Asks the neighbor for all routes again; false: it never does. */
  refresh(address: string): boolean
  /** What it says of the last NOTIFICATION or error that it got from the neighbor. */
  lastError(address: string): string
  freeze(): void
  thaw(): void
  restart(): Promise<void>
}

/** Addresses of node 1 and 2, and what each stands for. Ours is AS 65000 unless said. */
export const neighbors = {
  plain4: '10.77.0.11',
  plain6: 'fd77::11',
  /** Password `secret`. */
  password4: '10.77.0.21',
  /** Inside the AS. */
  internal4: '10.77.0.31',
  /** ebgp-multihop. */
  far4: '10.77.0.41',
  /** We are AS 4200000000. */
  large4: '10.77.0.12',
  /** The router dials as well as we. */
  active4: '10.77.0.22',
  /** TTL security, one hop. */
  secured4: '10.77.0.32',
  /** Keeps routes over a restart. */
  restarting4: '10.77.0.42',
  restarting6: 'fd77::12',
} as const
