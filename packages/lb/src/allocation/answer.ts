/** What the condition of a Service says about a decision. */
import { type Config, poolOf } from '@landfall/metallb'
import { formatIP, type IP } from '@landfall/netip'
import type { Decision } from './outcome.ts'
import type { BalancedService } from './request.ts'

type Assigned = Extract<Decision, { readonly kind: 'assigned' }>

export interface Answer {
  readonly status: 'True' | 'False'
  /** The code of a refusal, else `Allocated`, or `OneFamilyOnly` where two are preferred. */
  readonly reason: string
  readonly message: string
  /** Since when, in milliseconds, where that is known. */
  readonly since: number | undefined
}

export function answerOf(decision: Decision, config: Config): Answer {
  if (decision.kind !== 'assigned') {
    const { reason, message } = decision.refusal
    return {
      status: 'False',
      reason,
      message,
      since: decision.kind === 'orphaned' ? decision.since : undefined,
    }
  }
  const reason = decision.incomplete ? 'OneFamilyOnly' : 'Allocated'
  return { status: 'True', reason, message: describe(decision, config), since: undefined }
}

/** What the condition says of the addresses already. */
export function answerBefore({ allocated }: BalancedService): Answer | undefined {
  if (allocated === undefined) return undefined
  const { reason, message } = allocated
  return { status: allocated.status === 'True' ? 'True' : 'False', reason, message, since: undefined }
}

/** `10.0.0.1 from pool a, 2001:db8::1 from pool b` */
function describe({ ips, pools }: Assigned, config: Config): string {
  // The pool of an address that was kept may be refused, and not show the address.
  const name = (ip: IP) => poolOf(config, ip)?.name ?? pools.join(' or ')
  return ips.map((ip) => `${formatIP(ip)} from pool ${name(ip)}`).join(', ')
}
