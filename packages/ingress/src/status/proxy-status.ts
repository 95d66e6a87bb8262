/**
 * A verdict → the status of an HTTPProxy: `currentStatus`, its description, and the condition `Valid` with every
 * error and warning; with what Envoys refuse of it, the condition `Programmed` says so. Conditions of others are kept, and so is the time of the last transition.
 */
import type { DetailedCondition, HTTPProxyStatus } from '@landfall/api'
import type { LoadBalancerIngress } from '@landfall/kube/model'
import type { Problem } from '../dag/problem.ts'
import type { Verdict } from '../engine/verdicts.ts'
import { withProgrammed } from './programmed-condition.ts'
import { validCondition, validType } from './valid-condition.ts'

export type ProxyState = 'valid' | 'invalid' | 'orphaned'

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
 * @param programmed the condition of that type, while Envoys refuse something of its host
 */
export function proxyStatus(
  current: HTTPProxyStatus | undefined,
  verdict: Verdict,
  generation: number,
  addresses: readonly LoadBalancerIngress[],
  now: string,
  programmed?: DetailedCondition,
): HTTPProxyStatus {
  const state = proxyState(verdict)
  const problems = state === 'orphaned' ? [orphaned] : verdict.problems
  const messages = { valid: descriptions.valid, invalid: descriptions[state] }
  const condition = validCondition(current?.conditions, problems, messages, generation, now)
  const others = current?.conditions?.filter(({ type }) => type !== validType) ?? []
  return {
    currentStatus: state,
    description: descriptions[state],
    loadBalancer: addresses.length === 0 ? {} : { ingress: addresses.map((address) => ({ ...address })) },
    conditions: withProgrammed([condition, ...others], programmed),
  }
}
