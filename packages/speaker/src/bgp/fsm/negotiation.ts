/**
 * Our OPEN, and what both OPENs agree on (RFC 4271 §4.2 and §6.2, RFC 4760 §8, RFC 5492, RFC 6286, RFC 6793).
 */
import type { Family } from '@landfall/netip'
import {
  asFieldOf,
  asnOfOpen,
  type BgpError,
  bgpError,
  type Capability,
  errorCode,
  familyOf,
  maxExtendedLength,
  maxMessageLength,
  type OpenMessage,
  openError,
  type SessionContext,
  unicastOf,
} from '../codec/index.ts'
import type { PeerSettings } from './settings.ts'

export interface Agreed {
  readonly peerRouterID: number
  /** 0: neither hold timer nor keepalives. */
  readonly holdSeconds: number
  /** Undefined without a hold time. */
  readonly keepaliveMs: number | undefined
  /** What may be announced. */
  readonly families: readonly Family[]
  readonly context: SessionContext
  /** The peer wants to know where the first batch of routes ends (RFC 4724). */
  readonly wantsEndOfRib: boolean
}

const ourFamilies: readonly Family[] = [4, 6]

export function ourOpen(settings: PeerSettings, routerID: number): OpenMessage {
  const capabilities: Capability[] = [
    ...ourFamilies.map((family): Capability => ({ kind: 'multiprotocol', family: unicastOf(family) })),
    { kind: 'routeRefresh' },
    { kind: 'extendedMessage' },
    { kind: 'fourOctetAS', asn: settings.localASN },
  ]
  return {
    kind: 'open',
    asField: asFieldOf(settings.localASN),
    holdSeconds: settings.holdSeconds,
    routerID,
    capabilities,
  }
}

/** How messages are written and read before anything is agreed. */
export function firstContext(settings: PeerSettings): SessionContext {
  return { fourOctetAS: true, internal: isInternal(settings), messageLimit: maxMessageLength }
}

export function isInternal(settings: PeerSettings): boolean {
  return settings.localASN === settings.peerASN
}

export function negotiate(
  settings: PeerSettings,
  routerID: number,
  open: OpenMessage,
):
  | { readonly kind: 'agreed'; readonly agreed: Agreed }
  | { readonly kind: 'refused'; readonly error: BgpError } {
  const refused = (subcode: number) =>
    ({ kind: 'refused', error: bgpError(errorCode.open, subcode) }) as const
  if (asnOfOpen(open) !== settings.peerASN) return refused(openError.badPeerAS)
  if (open.routerID === 0 || (isInternal(settings) && open.routerID === routerID)) {
    return refused(openError.badIdentifier)
  }
  if (open.holdSeconds === 1 || open.holdSeconds === 2) return refused(openError.unacceptableHoldTime)
  const holdSeconds = Math.min(settings.holdSeconds, open.holdSeconds)
  const has = (kind: Capability['kind']) => open.capabilities.some((capability) => capability.kind === kind)
  return {
    kind: 'agreed',
    agreed: {
      peerRouterID: open.routerID,
      holdSeconds,
      keepaliveMs: holdSeconds === 0 ? undefined : keepaliveOf(settings, holdSeconds),
      families: familiesOf(open),
      context: {
        fourOctetAS: has('fourOctetAS'),
        internal: isInternal(settings),
        messageLimit: has('extendedMessage') ? maxExtendedLength : maxMessageLength,
      },
      wantsEndOfRib: has('gracefulRestart'),
    },
  }
}

function keepaliveOf(settings: PeerSettings, holdSeconds: number): number {
  const third = (holdSeconds * 1000) / 3
  return settings.keepaliveSeconds ? Math.min(settings.keepaliveSeconds * 1000, third) : third
}

/** A peer that names no family takes IPv4. */
function familiesOf(open: OpenMessage): readonly Family[] {
  const named = open.capabilities.flatMap((capability) =>
    capability.kind === 'multiprotocol' ? [capability.family] : [],
  )
  if (named.length === 0) return [4]
  return ourFamilies.filter((family) => named.some((one) => familyOf(one) === family))
}
