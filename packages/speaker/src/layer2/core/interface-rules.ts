/** Which interfaces answer (pure): not excluded, up, no member of a bond, bridge or VRF, and able to. */
import { type IP, isLinkLocal, prefixContains, prefixOf } from '@landfall/netip'

/** What MetalLB excludes when no file says otherwise. */
export const defaultExcludes: readonly string[] = [
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
]

/** What netlink tells of a link. */
export interface LinkState {
  readonly index: number
  readonly name: string
  readonly mac: Uint8Array
  readonly ethernet: boolean
  readonly up: boolean
  readonly running: boolean
  /** How often it got a carrier. */
  readonly carrierUps: number
  readonly broadcast: boolean
  readonly loopback: boolean
  readonly noArp: boolean
  /** Index of the bond, bridge or VRF it belongs to, else 0. */
  readonly master: number
  readonly addresses: readonly {
    readonly ip: IP
    readonly prefixLength: number
    /** It is not known to be this host's alone: not yet, or it is another's, too. */
    readonly tentative: boolean
    readonly duplicate: boolean
  }[]
}

export interface AnsweringInterface {
  readonly index: number
  readonly name: string
  readonly mac: Uint8Array
  /** Has a carrier: only then announcements go out. */
  readonly running: boolean
  readonly carrierUps: number
  readonly arp: boolean
  /** Its own, of either family. */
  readonly addresses: LinkState['addresses']
  /** Has a link-local address; what we answer for is not that one, so that it need not be proven unique yet. */
  readonly ndp: boolean
}

export function answeringInterfaces(
  interfaces: readonly LinkState[],
  excludes: readonly RegExp[],
): readonly AnsweringInterface[] {
  return interfaces
    .filter((i) => i.up && i.master === 0 && i.ethernet && !i.loopback && !i.noArp && i.mac.length === 6)
    .filter((i) => !excludes.some((pattern) => pattern.test(i.name)))
    .map((i) => ({
      index: i.index,
      name: i.name,
      mac: i.mac,
      running: i.running,
      carrierUps: i.carrierUps,
      arp: i.broadcast,
      addresses: i.addresses,
      ndp: i.addresses.some(({ ip, duplicate }) => ip.family === 6 && isLinkLocal(ip) && !duplicate),
    }))
    .filter((i) => i.arp || i.ndp)
}

/** The own address that is on one segment with the host, and may be spoken from; undefined: there is none. */
export function neighborOf({ addresses }: Pick<AnsweringInterface, 'addresses'>, host: IP): IP | undefined {
  const near = addresses.find(
    ({ ip, prefixLength, tentative }) => !tentative && prefixContains(prefixOf(ip, prefixLength), host),
  )
  return near?.ip
}
