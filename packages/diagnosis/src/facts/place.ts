/** Where something is configured: an object, or a part of the ConfigMap. */
import type { KubeObject } from '@landfall/kube/model'
import { keyOf } from '@landfall/kube/model'
import { type Made, sourceField } from '@landfall/metallb/legacy'
import type { LegacyFacts } from './config-map.ts'

export interface Place {
  readonly kind: string
  /** `namespace/name`, or `name`. */
  readonly name: string
  /** `address-pools[0]`; '' is the whole object. */
  readonly at: string
  /** Its own words for the fields that an object has: `spec.peerASN` → `peers[0].peer-asn`. */
  readonly field: (spec: string) => string
}

export function placeOfObject(kind: string, { meta }: KubeObject): Place {
  return { kind, name: keyOf(meta), at: '', field: (spec) => spec }
}

const ofNode = /^peer-autodiscovery of node (.*)$/

/** Peers that are discovered stand on Nodes. */
export function placeInConfigMap(
  { configMap }: Pick<LegacyFacts, 'configMap'>,
  made: Made<KubeObject>,
): Place {
  const [, node] = ofNode.exec(made.path) ?? []
  if (node !== undefined) {
    const field = (spec: string) =>
      `the label or annotation for ${sourceField({ path: '', fields: {} }, spec)}`
    return { kind: 'Node', name: node, at: 'peer-autodiscovery', field }
  }
  const field = (spec: string) => {
    const first = made.fields[`${spec}[0]`]?.replace(/\[\d+\]$/, '')
    return first === undefined ? sourceField(made, spec) : `${made.path}.${first}`
  }
  return { kind: 'ConfigMap', name: keyOf(configMap.meta), at: made.path, field }
}

/** `spec.addresses of IPAddressPool metallb-system/default` */
export function fieldText({ kind, name, field }: Place, spec: string): string {
  return `${field(spec)} of ${kind} ${name}`
}

/** `IPAddressPool metallb-system/default`, `ConfigMap metallb-system/config address-pools[0]` */
export function placeText({ kind, name, at }: Place): string {
  return at === '' ? `${kind} ${name}` : `${kind} ${name} ${at}`
}

/** What is said of a part of a ConfigMap names it. */
export function saidOf({ at }: Place, name: string, message: string): string {
  return at === '' ? message : `${at} (${name}): ${message}`
}
