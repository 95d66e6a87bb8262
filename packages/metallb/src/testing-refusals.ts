/** For tests of refusals: rows of a rule, the objects that break it, and what is said; good objects beside them. */
import { parseAllDocuments } from 'yaml'
import { buildConfig } from './build-config.ts'
import { objectsOf, type Written } from './testing.ts'

/** `said`: reason and field of each refusal. */
export type Row = readonly [rule: string, objects: string, ...said: readonly string[]]

export const good = written(`
kind: Node
metadata: {name: n1, labels: {rack: a}}
---
kind: Node
metadata: {name: n2, labels: {rack: b}}
---
kind: IPAddressPool
metadata: {name: good, labels: {tier: gold}}
spec: {addresses: [10.0.0.0/24, "2001:db8::/64"]}
---
kind: L2Advertisement
metadata: {name: good}
spec: {ipAddressPools: [good]}
---
kind: BGPAdvertisement
metadata: {name: good}
spec: {ipAddressPools: [good]}
---
kind: BGPPeer
metadata: {name: good}
spec: {myASN: 64500, peerASN: 64501, peerAddress: 192.0.2.1}
---
kind: Community
metadata: {name: good}
spec: {communities: [{name: known, value: "64500:1"}]}
`)

export function written(yaml: string): readonly Written[] {
  return parseAllDocuments(yaml).map((document) => document.toJS())
}

/** An object that is younger than what is good. `metadata`: more of it, after a comma. */
export function bad(kind: string, spec: string, name = 'bad', metadata = ''): string {
  const meta = `{name: ${name}, creationTimestamp: "2026-02-01T00:00:00Z"${metadata}}`
  return `kind: ${kind}\nmetadata: ${meta}\nspec: {${spec}}\n`
}

export interface Judgement {
  /** Reason and field of each refusal, sorted. */
  readonly said: readonly string[]
  /** Refusals that are not of the bad object, or do not name it and its field. */
  readonly astray: readonly string[]
  /** What of the good objects is still there. */
  readonly standing: readonly string[]
}

/** Of the objects beside the good ones. */
export function judge(objects: string): Judgement {
  const { config, refusals } = buildConfig(objectsOf([...good, ...written(objects)]))
  const astray = refusals.filter(
    ({ kind, namespace, name, field, message }) =>
      name !== 'bad' || !message.startsWith(`${kind} ${namespace}/${name}: ${field}: `),
  )
  const usable = config.pools.filter(({ refused }) => !refused)
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).join()
  return {
    said: refusals.map(({ reason, field }) => `${reason} ${field}`).toSorted(),
    astray: astray.map(({ message }) => message),
    standing: [
      ...usable.map(({ name, l2, bgp }) => `pool ${name} with ${names(l2)} and ${names(bgp)}`),
      `peers ${names(config.peers)}`,
    ],
  }
}

export const allStanding = ['pool good with good and good', 'peers good']
