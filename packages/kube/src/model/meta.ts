/**
 * What every projected object carries. Objects of the API server are projected to these small types as they
 * arrive, so that a cache holds only what a decision reads.
 */

/** `namespace/name`, or `name` for a cluster-scoped object. */
export type Key = string

export interface Meta {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation: number
  /** RFC 3339, as the API server wrote it; decides who came first. */
  readonly creationTimestamp: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly deleting: boolean
}

/** Of what no API server has written. */
export const emptyMeta: Meta = {
  namespace: '',
  name: '',
  uid: '',
  resourceVersion: '',
  generation: 0,
  creationTimestamp: '',
  labels: {},
  annotations: {},
  deleting: false,
}

export interface KubeObject {
  readonly meta: Meta
}

/** `kind` and `apiVersion` are needed by events and owner references. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export function keyOf(meta: Pick<Meta, 'namespace' | 'name'>): Key {
  return meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`
}

export function splitKey(key: Key): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return slash < 0
    ? { namespace: '', name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The older object first, then by namespace and name: who wins a conflict (validity has no memory). */
export function byAge(a: KubeObject, b: KubeObject): number {
  return compare(a.meta.creationTimestamp, b.meta.creationTimestamp) || compare(keyOf(a.meta), keyOf(b.meta))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
