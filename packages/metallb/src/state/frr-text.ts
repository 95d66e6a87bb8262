/**
 * Configuration of FRR (pure): `bgpextras`, and FRRConfiguration objects. There is no FRR here to read it, so it is named,
 * with what says the same to a speaker of ours.
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

export interface UnreadFrr {
  /** Text of the ConfigMap `bgpextras`; undefined: there is none. */
  readonly extras: { readonly object: string; readonly text: string } | undefined
  /** `namespace/name` of FRRConfiguration objects. */
  readonly configurations: readonly string[]
}

/** One text for each thing that is there and not read. */
export function unreadFrr({ extras, configurations }: UnreadFrr): readonly string[] {
  const said: string[] = []
  if (extras !== undefined && extras.text.trim() !== '')
    said.push(`${extras.object} is not read, as there is no FRR: ${insteadOf(extras.text)}`)
  if (configurations.length > 0) {
    const shown = configurations.toSorted().slice(0, namesShown)
    const more = configurations.length - shown.length
    const names = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
    said.push(
      `FRRConfiguration ${names}: not read, as there is no FRR; use BGPPeer and BGPAdvertisement objects`,
    )
  }
  return said
}

function insteadOf(text: string): string {
  const lines = text.split('\n').filter((line) => !/^\s*(!|$)/.test(line))
  const found = lines.map((line) => replacements.find(([pattern]) => pattern.test(line))?.[1])
  const known = [...new Set(found)].filter((one) => one !== undefined)
  return known.length === 0 ? 'docs/bgp.md names what there is instead' : `use ${known.join('; ')}`
}
