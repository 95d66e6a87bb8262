/** For tests of refusals: rows of a rule, the objects that break it, and what is said; good objects beside them. */
import { expect } from 'vitest'
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

/** Reason and field of each refusal, sorted; each must name the bad object, and what is good must stay. */
export function refusalsOf(objects: string): readonly string[] {
  const { config, refusals } = buildConfig(objectsOf([...good, ...written(objects)]))
  for (const { kind, namespace, name, field, message } of refusals) {
    expect(name).toBe('bad')
    expect(message).toContain(`${kind} ${namespace}/${name}: ${field}: `)
  }
  const [rest] = config.pools.filter(({ name }) => name === 'good')
  expect(rest).toMatchObject({ refused: false, l2: [{ name: 'good' }], bgp: [{ name: 'good' }] })
  expect(config.pools.filter(({ name, refused }) => name === 'bad' && !refused)).toEqual([])
  expect(config.peers.map(({ name }) => name)).toEqual(['good'])
  return refusals.map(({ reason, field }) => `${reason} ${field}`).toSorted()
}
