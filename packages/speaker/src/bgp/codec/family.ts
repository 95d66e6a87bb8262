/** Address families as AFI and SAFI (RFC 4760). Only unicast is ours; others are carried through undecoded. */
import type { Family } from '@landfall/netip'

export interface AddressFamily {
  readonly afi: number
  readonly safi: number
}

export const unicast = 1

export function afiOf(family: Family): number {
  return family === 4 ? 1 : 2
}

export function unicastOf(family: Family): AddressFamily {
  return { afi: afiOf(family), safi: unicast }
}

/** The family, if it is IPv4 or IPv6 unicast. */
export function familyOf({ afi, safi }: AddressFamily): Family | undefined {
  if (safi !== unicast) return undefined
  return afi === 1 ? 4 : afi === 2 ? 6 : undefined
}
