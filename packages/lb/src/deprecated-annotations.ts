/** Annotations of a Service that still work under the prefix of MetalLB's earlier releases. */
import { type BalancedService, readRequest } from './allocation/request.ts'

/** What is said of those that are new since the Service was seen last: once each. */
export function newlyDeprecated(
  before: BalancedService | undefined,
  after: BalancedService,
): readonly string[] {
  const isSame = before?.meta.uid === after.meta.uid
  if (isSame && sameRecord(before?.meta.annotations ?? {}, after.meta.annotations)) return []
  const known = before === undefined ? [] : readRequest(before).deprecated
  return readRequest(after)
    .deprecated.filter((one) => !known.includes(one))
    .map((annotation) => `the annotation ${annotation} is deprecated, use the prefix metallb.io/`)
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
