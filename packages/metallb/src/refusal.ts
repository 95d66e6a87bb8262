/** Why an object, or a part of it, is left out of the configuration. */
import type { KubeObject } from '@landfall/kube/model'

export type RefusalReason =
  | 'WrongNamespace'
  | 'MissingField'
  | 'InvalidValue'
  | 'InvalidAddress'
  | 'InvalidSelector'
  | 'DuplicateValue'
  | 'ConflictingFields'
  | 'NotSupported'
  | 'OverlappingPool'
  | 'AggregationTooShort'
  | 'ConflictingAdvertisement'
  | 'UnknownCommunity'
  | 'DuplicateCommunity'
  | 'DuplicatePeer'
  | 'SecretNotFound'
  | 'InvalidSecret'
  | 'InvalidYAML'
  | 'UnknownField'
  | 'DropsAddressInUse'

export interface Refusal {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Path of the field, as `spec.addresses[1]`. */
  readonly field: string
  readonly reason: RefusalReason
  /** Names the object and the field. */
  readonly message: string
}

/** Collects the problems of one object. */
export interface Problems {
  readonly found: readonly Refusal[]
  report(field: string, reason: RefusalReason, problem: string): void
}

export function problemsOf(kind: string, object: KubeObject): Problems {
  const { namespace, name } = object.meta
  const found: Refusal[] = []
  return {
    found,
    report(field, reason, problem) {
      const message = `${kind} ${namespace}/${name}: ${field}: ${problem}`
      found.push({ kind, namespace, name, field, reason, message })
    },
  }
}

/** Reports each value that was there before in the same list. */
export function reportDuplicates(problems: Problems, field: string, values: readonly string[]): void {
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) {
      problems.report(`${field}[${index}]`, 'DuplicateValue', `${JSON.stringify(value)} is listed twice`)
    }
  }
}
