/** On which nodes pods run: the attributes that say so, and the pod templates that they change. */
import type { Manifest } from '@landfall/manifests'
import { type BlockReader, listOf, text, wholeNumber } from '../evaluation/reader.ts'

/** Undefined: as the manifests have it. */
export interface Placement {
  /** Beside what the manifests select. */
  readonly nodeSelector?: ReadonlyMap<string, string>
  /** Instead of those of the manifests. */
  readonly tolerations?: readonly object[]
  /** Each must hold. */
  readonly nodeAffinity?: readonly object[]
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const tolerationOperators = ['Equal', 'Exists']
const affinityOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']

/** Blocks of this type: `key`, `operator`, `value`, `effect`, `toleration_seconds`. */
export function readTolerations(block: BlockReader | undefined, type: string): readonly object[] {
  return (block?.blocks(type) ?? []).map(readToleration)
}

function readToleration(block: BlockReader): object {
  const key = block.read('key', text)
  const operator = block.read('operator', text)
  const value = block.read('value', text)
  const effect = block.read('effect', text)
  const seconds = block.read('toleration_seconds', wholeNumber)
  block.finish()
  oneOf(block, 'operator', operator, tolerationOperators)
  oneOf(block, 'effect', effect, effects)
  if (seconds !== undefined && effect?.value !== 'NoExecute') {
    block.refuse('Conflict', 'toleration_seconds requires effect = "NoExecute"', seconds.at)
  }
  if (operator?.value === 'Exists' && value !== undefined && value.value !== '') {
    block.refuse('Conflict', 'operator = "Exists" takes no value', value.at)
  }
  if (key === undefined && operator?.value !== 'Exists') {
    block.refuse('MissingValue', 'without a key the operator must be "Exists"')
  }
  return {
    ...(key && { key: key.value }),
    ...(operator && { operator: operator.value }),
    ...(value && { value: value.value }),
    ...(effect && { effect: effect.value }),
    ...(seconds && { tolerationSeconds: seconds.value }),
  }
}

/** Blocks `node_affinity`: `key`, `operator`, `values`. */
export function readNodeAffinity(block: BlockReader | undefined): readonly object[] {
  return (block?.blocks('node_affinity') ?? []).map((one) => {
    const key = one.read('key', text)
    const operator = one.read('operator', text)
    const values = one.read('values', listOf(text))
    one.finish()
    if (key === undefined) one.refuse('MissingValue', 'key is missing')
    oneOf(one, 'operator', operator, affinityOperators)
    if (operator === undefined)
      one.refuse('MissingValue', `operator is missing: ${affinityOperators.join(', ')}`)
    const needsValues = operator?.value === 'In' || operator?.value === 'NotIn'
    if (needsValues && (values?.value.length ?? 0) === 0) one.refuse('MissingValue', 'values is missing')
    return {
      key: key?.value,
      operator: operator?.value,
      ...(values && { values: values.value.map(({ value }) => value) }),
    }
  })
}

export function oneOf(
  block: BlockReader,
  name: string,
  given: { readonly value: string; readonly at: BlockReader['at'] } | undefined,
  choices: readonly string[],
): void {
  if (given === undefined || choices.includes(given.value)) return
  block.refuse('InvalidValue', `${name} = "${given.value}" is none of ${choices.join(', ')}`, given.at)
}

/** The same object, its pods placed so. */
export function placed(manifest: Manifest, placement: Placement): Manifest {
  const spec = fieldsOf(manifest['spec'])
  const template = fieldsOf(spec['template'])
  const pod = placedPod(fieldsOf(template['spec']), placement)
  return { ...manifest, spec: { ...spec, template: { ...template, spec: pod } } }
}

function placedPod(pod: Readonly<Record<string, unknown>>, placement: Placement): object {
  const { nodeSelector, tolerations, nodeAffinity = [] } = placement
  const { tolerations: _, ...bare } = pod
  const affinity = {
    ...fieldsOf(pod['affinity']),
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: nodeAffinity }],
      },
    },
  }
  return {
    ...(tolerations === undefined ? pod : { ...bare, ...(tolerations.length > 0 && { tolerations }) }),
    ...(nodeSelector && {
      nodeSelector: { ...fieldsOf(pod['nodeSelector']), ...Object.fromEntries(nodeSelector) },
    }),
    ...(nodeAffinity.length > 0 && { affinity }),
  }
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
