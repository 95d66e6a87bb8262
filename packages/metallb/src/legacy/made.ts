/** metallb.io objects made from the ConfigMap, each with the place that it comes from. */
import { emptyMeta, type KubeObject, type Meta } from '@landfall/kube/model'

export interface Made<T extends KubeObject> {
  readonly object: T
  /** `address-pools[0]` */
  readonly path: string
  /** Where its fields are, when not under their own name: `spec.addresses[0]` → `cidr[1]`. */
  readonly fields: Readonly<Record<string, string>>
}

export function metaOf(name: string, from: Meta): Meta {
  const { namespace, creationTimestamp } = from
  return { ...emptyMeta, namespace, name, creationTimestamp }
}

/** The entry without what is undefined: what exact optional properties take. */
export function given<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  const entry: { [key in K]?: V } = {}
  if (value !== undefined) entry[key] = value
  return entry
}

/** The ConfigMap's word for a field of an object. */
const words: Readonly<Record<string, string>> = {
  aggregationLength: 'aggregation-length',
  aggregationLengthV6: 'aggregation-length-v6',
  localPref: 'localpref',
  myASN: 'my-asn',
  peerASN: 'peer-asn',
  peerAddress: 'peer-address',
  peerPort: 'peer-port',
  holdTime: 'hold-time',
  keepaliveTime: 'keepalive-time',
  sourceAddress: 'source-address',
  routerID: 'router-id',
  ebgpMultiHop: 'ebgp-multihop',
  bfdProfile: 'bfd-profile',
  nodeSelectors: 'node-selectors',
  matchLabels: 'match-labels',
  matchExpressions: 'match-expressions',
}

/** `spec.nodeSelectors[0].matchLabels` → `node-selectors[0].match-labels` */
export function sourceField(made: Pick<Made<KubeObject>, 'path' | 'fields'>, field: string): string {
  const [, spec = field] = /^spec\.(.*)$/.exec(field) ?? []
  const known = made.fields[field]
  const own = known ?? spec.replaceAll(/[A-Za-z]\w*/g, (word) => words[word] ?? word)
  return made.path === '' ? own : `${made.path}.${own}`
}
