/** What the client knows of a kind: where its objects are, and how one is projected to the model. */
import type { KubeObject, Meta } from './model/index.ts'

/** An object as the API server sent it. */
export interface RawObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: RawMeta
  readonly [field: string]: unknown
}

export interface RawMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export interface ResourceType<T extends KubeObject = KubeObject> {
  /** `v1`, `discovery.k8s.io/v1` */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** A throw takes out this one object, with a log line that names it. */
  project(raw: RawObject): T
}

/** The path of a collection, or of one object, or of an object's sub-resource. */
export function pathOf(
  type: Pick<ResourceType, 'apiVersion' | 'plural' | 'namespaced'>,
  at: { readonly namespace?: string; readonly name?: string; readonly subresource?: string } = {},
): string {
  const root = type.apiVersion.includes('/') ? `/apis/${type.apiVersion}` : `/api/${type.apiVersion}`
  const scope = type.namespaced && at.namespace ? `/namespaces/${encodeURIComponent(at.namespace)}` : ''
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`
  const subresource = at.subresource === undefined ? '' : `/${at.subresource}`
  return `${root}${scope}/${type.plural}${name}${subresource}`
}

export function projectMeta(raw: RawObject): Meta {
  const meta = raw.metadata
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    uid: meta.uid ?? '',
    resourceVersion: meta.resourceVersion ?? '',
    generation: meta.generation ?? 0,
    creationTimestamp: meta.creationTimestamp ?? '',
    labels: meta.labels ?? {},
    annotations: withoutLastApplied(meta.annotations),
    deleting: meta.deletionTimestamp !== undefined,
  }
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** kubectl's copy of the whole object is of no use to anybody here, and doubles what a cache holds. */
function withoutLastApplied(
  annotations: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  if (annotations === undefined) return {}
  if (annotations[lastApplied] === undefined) return annotations
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastApplied))
}

/** A custom resource in its own terms: metadata, spec and status. */
export interface CustomObject extends KubeObject {
  readonly spec: unknown
  readonly status?: unknown
}

/**
 * The type of a custom resource; the API server has validated and defaulted what comes, so spec and status are
 * taken as the schema says.
 */
export function customType<T extends KubeObject>(identity: {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}): ResourceType<T> {
  return {
    apiVersion: `${identity.group}/${identity.version}`,
    kind: identity.kind,
    plural: identity.plural,
    namespaced: identity.namespaced,
    project: (raw) => {
      const { spec, status } = raw
      return {
        meta: projectMeta(raw),
        spec: spec ?? {},
        ...(status === undefined ? {} : { status }),
      } as KubeObject as T
    },
  }
}
