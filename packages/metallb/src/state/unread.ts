/**
 * Configuration that MetalLB reads and nothing here does (pure): for FRR, `bgpextras` and FRRConfiguration objects; of
 * v0.13, AddressPool objects. It is named, with what says the same to a speaker of ours.
 */

/** In the order in which they are named; the first that fits a line counts. */
const replacements: readonly (readonly [line: RegExp, instead: string])[] = [
  [/\bremote-as\b.*\binterface\b|\binterface remote-as\b/, 'spec.interface of a BGPPeer'],
  [/\bttl-security\b/, 'the annotation metallb.io/ttl-security of a BGPPeer'],
  [/\bebgp-multihop\b/, 'spec.ebgpMultiHop of a BGPPeer'],
  [/\bupdate-source\b/, 'spec.sourceAddress of a BGPPeer'],
  [/\btimers connect\b/, 'spec.connectTime of a BGPPeer'],
  [/\btimers\b/, 'spec.holdTime and spec.keepaliveTime of a BGPPeer'],
  [/\bgraceful-restart\b/, 'spec.enableGracefulRestart of a BGPPeer'],
  [/\bneighbor \S+ password\b/, 'spec.passwordSecret of a BGPPeer'],
  [/\bneighbor \S+ passive\b/, 'the annotation metallb.io/passive of a BGPPeer'],
  [/\bneighbor \S+ local-as\b/, 'spec.localASN of a BGPPeer'],
  [/\bremote-as (internal|external)\b/, 'spec.dynamicASN of a BGPPeer'],
  [/\bremote-as\b/, 'a BGPPeer'],
  [/\brouter-id\b/, 'spec.routerID of a BGPPeer'],
  [/\bbfd\b/, 'a BFDProfile, and spec.bfdProfile of a BGPPeer'],
  [/\bset (large-)?community\b/, 'spec.communities of a BGPAdvertisement'],
  [/\bset local-preference\b/, 'spec.localPref of a BGPAdvertisement'],
  [/\bset metric\b/, 'the annotation metallb.io/bgp-med of a Service'],
  [/\bset as-path prepend\b/, 'the annotation metallb.io/bgp-as-path-prepend of a Service'],
  [/\bset extcommunity bandwidth\b/, 'the annotation metallb.io/weight-by-endpoints of a BGPAdvertisement'],
  [/\baggregate-address\b/, 'spec.aggregationLength of a BGPAdvertisement'],
]

const namesShown = 4

export interface Unread {
  /** Text of the ConfigMap `bgpextras`; undefined: there is none. */
  readonly extras: { readonly object: string; readonly text: string } | undefined
  /** `namespace/name` of FRRConfiguration objects. */
  readonly configurations: readonly string[]
  /** `namespace/name` of AddressPool objects. */
  readonly addressPools: readonly string[]
}

/** One text for each thing that is there and not read. */
export function unreadTexts({ extras, configurations, addressPools }: Unread): readonly string[] {
  const said: string[] = []
  if (extras !== undefined && extras.text.trim() !== '')
    said.push(`${extras.object} is not read, as there is no FRR: ${insteadOf(extras.text)}`)
  if (configurations.length > 0) {
    const names = someOf(configurations)
    said.push(
      `FRRConfiguration ${names}: not read, as there is no FRR; use BGPPeer and BGPAdvertisement objects`,
    )
  }
  if (addressPools.length > 0) {
    const instead = 'landfall migrate prints the IPAddressPools and advertisements that say the same'
    said.push(`AddressPool ${someOf(addressPools)}: not read; ${instead}`)
  }
  return said
}

function someOf(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, namesShown)
  const more = names.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function insteadOf(text: string): string {
  const lines = text.split('\n').filter((line) => !/^\s*(!|$)/.test(line))
  const found = lines.map((line) => replacements.find(([pattern]) => pattern.test(line))?.[1])
  const known = [...new Set(found)].filter((one) => one !== undefined)
  return known.length === 0 ? 'docs/bgp.md names what there is instead' : `use ${known.join('; ')}`
}
