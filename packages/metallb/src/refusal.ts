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
  | 'UnknownBFDProfile'
  | 'DuplicateCommunity'
  | 'DuplicatePeer'
  | 'SecretNotFound'
  | 'InvalidSecret'
  | 'InvalidYAML'
  | 'UnknownField'
  | 'DropsAddressInUse'

export type Refusal = Finding<RefusalReason>

/** One thing about one object. */
export interface Finding<Reason extends string> {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Path of the field, as `spec.addresses[1]`. */
  readonly field: string
  readonly reason: Reason
  /** Names the object and the field. */
  readonly message: string
}

/** Collects what is found about one object. */
export interface Findings<Reason extends string> {
  readonly found: readonly Finding<Reason>[]
  report(field: string, reason: Reason, problem: string): void
}

export type Problems = Findings<RefusalReason>

export function problemsOf(kind: string, object: KubeObject): Problems {
  return findingsOf(kind, object)
}

export function findingsOf<Reason extends string>(kind: string, object: KubeObject): Findings<Reason> {
  const { namespace, name } = object.meta
  const found: Finding<Reason>[] = []
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
