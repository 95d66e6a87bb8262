/**
 * How a session is made and what it carries: interface, VRF, source, hops, families, graceful restart and BFD. Two
 * things that BGPPeer has no field for are annotations: TTL security, and a peer that dials us.
 */
import type { BFDProfile, BGPPeer, BGPPeerSpec } from '@landfall/api'
import type { Family, IP } from '@landfall/netip'
import { annotationField, readFlag } from './annotations.ts'
import type { BFDSettings, Peer } from './config.ts'
import { isInterfaceName, readSource } from './peer-ends.ts'
import type { Problems } from './refusal.ts'

/** Hops to the peer, 1 for one on the same link: `metallb.io/ttl-security: "1"`. */
export const ttlSecurityAnnotation = 'metallb.io/ttl-security'
/** `metallb.io/passive: "true"`: the speaker waits for the peer to dial. */
export const passiveAnnotation = 'metallb.io/passive'

const mostHops = 254

type Session = Pick<
  Peer,
  | 'interface'
  | 'vrf'
  | 'sourceAddress'
  | 'ebgpMultiHop'
  | 'ttlSecurityHops'
  | 'families'
  | 'disableMP'
  | 'gracefulRestart'
  | 'passive'
  | 'bfd'
>

export function readSession(
  { meta, spec }: BGPPeer,
  address: IP | undefined,
  profiles: readonly BFDProfile[],
  problems: Problems,
): Session {
  const ebgpMultiHop = spec.ebgpMultiHop ?? false
  const link = readDevice('spec.interface', spec.interface, problems)
  const ttlSecurityHops = readHops(meta.annotations[ttlSecurityAnnotation], problems)
  if (ttlSecurityHops !== undefined && ebgpMultiHop) {
    problems.report(
      annotationField(ttlSecurityAnnotation),
      'ConflictingFields',
      'spec.ebgpMultiHop is set too: give the number of hops here alone',
    )
  }
  const hops = { ebgpMultiHop, ttlSecurityHops }
  return {
    interface: link,
    vrf: readDevice('spec.vrf', spec.vrf, problems),
    sourceAddress: readSource(spec.sourceAddress, address, problems),
    ...hops,
    families: familiesOf(spec, address, problems),
    disableMP: spec.disableMP ?? false,
    gracefulRestart: spec.enableGracefulRestart ?? false,
    passive: readPassive({ meta, spec }, problems),
    bfd: readBFD(spec.bfdProfile ?? '', address, isFar(hops), profiles, problems),
  }
}

function readDevice(field: string, text: string | undefined, problems: Problems): string | undefined {
  if (text === undefined || text === '') return undefined
  if (isInterfaceName(text)) return text
  problems.report(field, 'InvalidValue', `${JSON.stringify(text)} is no name of an interface`)
  return undefined
}

/** Whose connections a listener on all addresses cannot take: it is in no VRF, and knows no peer without an address. */
function readPassive({ meta, spec }: BGPPeer, problems: Problems): boolean {
  const passive = readFlag(meta, passiveAnnotation, problems)
  for (const field of ['interface', 'vrf'] as const) {
    if (!passive || (spec[field] ?? '') === '') continue
    const text = `spec.${field} is set: such a peer is dialled, and does not dial`
    problems.report(annotationField(passiveAnnotation), 'ConflictingFields', text)
  }
  return passive
}

/** Its own family alone, unless both are asked for or it has none: as MetalLB's FRR modes do. */
function familiesOf(spec: BGPPeerSpec, address: IP | undefined, problems: Problems): readonly Family[] {
  const both = spec.dualStackAddressFamily === true || address === undefined
  if (spec.disableMP === true && (both || address?.family === 6)) {
    const text = 'without the multiprotocol extension there is only IPv4 over IPv4'
    problems.report('spec.disableMP', 'ConflictingFields', text)
  }
  return both ? [4, 6] : [address.family]
}

function readHops(text: string | undefined, problems: Problems): number | undefined {
  if (text === undefined) return undefined
  const hops = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (hops >= 1 && hops <= mostHops) return hops
  problems.report(
    annotationField(ttlSecurityAnnotation),
    'InvalidValue',
    `${JSON.stringify(text)} is no number of hops between 1 and ${mostHops}`,
  )
  return undefined
}

function isFar({ ebgpMultiHop, ttlSecurityHops }: Pick<Peer, 'ebgpMultiHop' | 'ttlSecurityHops'>): boolean {
  return ebgpMultiHop || (ttlSecurityHops ?? 1) > 1
}

function readBFD(
  name: string,
  address: IP | undefined,
  far: boolean,
  profiles: readonly BFDProfile[],
  problems: Problems,
): BFDSettings | undefined {
  if (name === '') return undefined
  const field = 'spec.bfdProfile'
  const profile = profiles.find(({ meta }) => meta.name === name)
  if (profile === undefined) {
    problems.report(field, 'UnknownBFDProfile', `there is no BFDProfile ${JSON.stringify(name)}`)
    return undefined
  }
  const spec = profile.spec ?? {}
  const echoes = spec.echoMode ?? false
  if (echoes && (far || address?.family !== 4)) {
    const why = far ? 'over several hops' : 'over IPv6'
    problems.report(field, 'NotSupported', `echoMode of BFDProfile ${name} does not work ${why}`)
  }
  return {
    transmitMs: spec.transmitInterval ?? 300,
    receiveMs: spec.receiveInterval ?? 300,
    multiplier: spec.detectMultiplier ?? 3,
    echoMs: echoes ? (spec.echoInterval ?? 50) : undefined,
    passive: spec.passiveMode ?? false,
    minimumTtl: spec.minimumTtl ?? 254,
  }
}
