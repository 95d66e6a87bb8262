/**
 * A verdict → the status of an HTTPProxy: `currentStatus`, its description, and the condition `Valid` with every
 * error and warning; with what Envoys refuse of it, the condition `Programmed` says so. Conditions of others are kept, and so is the time of the last transition.
 */
import type { HTTPProxyStatus } from '@landfall/api'
import type { LoadBalancerIngress } from '@landfall/kube/model'
import type { Problem } from '../dag/problem.ts'
import type { Verdict } from '../engine/verdicts.ts'
import { longest, validCondition, validType } from './valid-condition.ts'

type Condition = NonNullable<HTTPProxyStatus['conditions']>[number]

export type ProxyState = 'valid' | 'invalid' | 'orphaned'

const programmedType = 'Programmed'

export function proxyState(verdict: Verdict): ProxyState {
  if (!verdict.reached) return 'orphaned'
  return verdict.problems.some(({ severity }) => severity === 'error') ? 'invalid' : 'valid'
}

const orphaned: Problem = {
  severity: 'error',
  type: 'Orphaned',
  reason: 'Orphaned',
  message: 'this HTTPProxy is not part of a delegation chain from a root HTTPProxy',
}

const descriptions: Readonly<Record<ProxyState, string>> = {
  valid: 'Valid HTTPProxy',
  invalid: 'At least one error present, see Errors for details',
  orphaned: orphaned.message,
}

/**
 * @param now RFC 3339, with whole seconds, as the API keeps it
 * @param refusals what Envoys refuse of its host, in words; none: no condition `Programmed`
 */
export function proxyStatus(
  current: HTTPProxyStatus | undefined,
  verdict: Verdict,
  generation: number,
  addresses: readonly LoadBalancerIngress[],
  now: string,
  refusals: readonly string[] = [],
): HTTPProxyStatus {
  const state = proxyState(verdict)
  const problems = state === 'orphaned' ? [orphaned] : verdict.problems
  const messages = { valid: descriptions.valid, invalid: descriptions[state] }
  const condition = validCondition(current?.conditions, problems, messages, generation, now)
  const foreign =
    current?.conditions?.filter(({ type }) => type !== validType && type !== programmedType) ?? []
  return {
    currentStatus: state,
    description: descriptions[state],
    loadBalancer: addresses.length === 0 ? {} : { ingress: addresses.map((address) => ({ ...address })) },
    conditions: [condition, ...notProgrammed(current, refusals, generation, now), ...foreign],
  }
}

function notProgrammed(
  current: HTTPProxyStatus | undefined,
  refusals: readonly string[],
  generation: number,
  now: string,
): readonly Condition[] {
  if (refusals.length === 0) return []
  const before = current?.conditions?.find(({ type }) => type === programmedType)
  return [
    {
      type: programmedType,
      status: 'False',
      reason: 'EnvoyRefused',
      message: refusals.join('; ').slice(0, longest),
      lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : now,
      observedGeneration: generation,
    },
  ]
}
