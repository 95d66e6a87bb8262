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
  readonly peerASN: number
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
  /** The peer keeps our routes when the connection ends without a word. */
  readonly gracefulRestart: boolean
  /** How long it may be away for a restart of its own; 0 where none is agreed. */
  readonly peerRestartSeconds: number
  /** It keeps them after a NOTIFICATION too, all but Cease/Hard Reset (RFC 8538). */
  readonly notificationRestart: boolean
  /** The peer takes IPv4 over an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean
  /** The peer wants the begin and the end of a refresh marked (RFC 7313). */
  readonly enhancedRefresh: boolean
}

/** `restarting`: what we announced before our own restart is to be taken up again (RFC 4724 §3, the R bit). */
export function ourOpen(settings: PeerSettings, routerID: number, restarting: boolean): OpenMessage {
  const { families, multiprotocol, restartSeconds } = settings
  const capabilities: readonly Capability[] = [
    ...(multiprotocol ? families : []).map(
      (family): Capability => ({ kind: 'multiprotocol', family: unicastOf(family) }),
    ),
    { kind: 'routeRefresh' },
    ...(settings.extendedNextHop ? [nextHopCapability] : []),
    { kind: 'extendedMessage' },
    ...(restartSeconds === undefined ? [] : [restartCapability(families, restartSeconds, restarting)]),
    { kind: 'fourOctetAS', asn: settings.localASN },
    { kind: 'enhancedRouteRefresh' },
  ]
  return {
    kind: 'open',
    asField: asFieldOf(settings.localASN),
    holdSeconds: settings.holdSeconds,
    routerID,
    capabilities: settings.plain ? [] : capabilities,
  }
}

const nextHopCapability: Capability = {
  kind: 'extendedNextHop',
  families: [{ ...unicastOf(4), nextHopAfi: unicastOf(6).afi }],
}

/** The kernel goes on forwarding whatever becomes of us, so the F bits are always set. */
function restartCapability(families: readonly Family[], seconds: number, restarting: boolean): Capability {
  return {
    kind: 'gracefulRestart',
    restarting,
    notification: true,
    seconds,
    families: families.map((family) => ({ ...unicastOf(family), forwarding: true })),
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
  said: OpenMessage,
):
  | { readonly kind: 'agreed'; readonly agreed: Agreed }
  | { readonly kind: 'refused'; readonly error: BgpError; readonly detail: string } {
  const refused = (subcode: number, detail: string) =>
    ({ kind: 'refused', error: bgpError(errorCode.open, subcode), detail }) as const
  const asn = asnOfOpen(said)
  const open = settings.plain ? { ...said, capabilities: [] } : said
  const fits =
    settings.peerASN === 'external' ? asn !== settings.localASN && asn !== 0 : asn === settings.peerASN
  if (!fits) return refused(openError.badPeerAS, `the peer is AS ${asn}`)
  if (open.routerID === 0 || (isInternal(settings) && open.routerID === routerID)) {
    return refused(openError.badIdentifier, 'the router ID of the peer is 0, or ours')
  }
  if (open.holdSeconds === 1 || open.holdSeconds === 2)
    return refused(openError.unacceptableHoldTime, `the peer asks for ${open.holdSeconds} s`)
  const holdSeconds = Math.min(settings.holdSeconds, open.holdSeconds)
  const has = (kind: Capability['kind']) => open.capabilities.some((capability) => capability.kind === kind)
  const restart = settings.restartSeconds === undefined ? undefined : restartOf(open)
  const families = familiesOf(settings, open)
  return {
    kind: 'agreed',
    agreed: {
      peerASN: asn,
      peerRouterID: open.routerID,
      holdSeconds,
      keepaliveMs: holdSeconds === 0 ? undefined : keepaliveOf(settings, holdSeconds),
      families,
      context: {
        fourOctetAS: has('fourOctetAS'),
        internal: isInternal(settings),
        messageLimit: has('extendedMessage') ? maxExtendedLength : maxMessageLength,
      },
      wantsEndOfRib: has('gracefulRestart'),
      gracefulRestart: restart !== undefined,
      peerRestartSeconds: restart?.seconds ?? 0,
      notificationRestart: restart?.notification ?? false,
      extendedNextHop: settings.extendedNextHop && open.capabilities.some(takesNextHop6),
      enhancedRefresh: has('enhancedRouteRefresh'),
    },
  }
}

function keepaliveOf(settings: PeerSettings, holdSeconds: number): number {
  const third = (holdSeconds * 1000) / 3
  return settings.keepaliveSeconds ? Math.min(settings.keepaliveSeconds * 1000, third) : third
}

/** Of several the last one counts (RFC 4724 §3). */
function restartOf({ capabilities }: OpenMessage) {
  return capabilities.findLast((capability) => capability.kind === 'gracefulRestart')
}

function takesNextHop6(capability: Capability): boolean {
  return (
    capability.kind === 'extendedNextHop' &&
    capability.families.some((one) => familyOf(one) === 4 && one.nextHopAfi === unicastOf(6).afi)
  )
}

/** A peer that names no family takes IPv4. */
function familiesOf(settings: PeerSettings, open: OpenMessage): readonly Family[] {
  const named = open.capabilities.flatMap((capability) =>
    capability.kind === 'multiprotocol' ? [capability.family] : [],
  )
  const theirs = named.length === 0 || !settings.multiprotocol ? [4] : named.map(familyOf)
  return settings.families.filter((family) => theirs.includes(family))
}
