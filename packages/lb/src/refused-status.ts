/**
 * What is said of a Service whose status the API server refuses (422): by its condition, without the addresses that it
 * does not take, and by an Event. That is tried anew when the Service or what its status should say changes.
 */
import type { Answer } from './allocation/answer.ts'
import type { Event } from './allocation/outcome.ts'
import type { WantedStatus } from './service-status.ts'
import type { ConditionedService } from './service-type.ts'

const statusRefused = 'StatusRefused'

/** Addresses that its status has already stay. */
export function withoutRefused(service: ConditionedService, wanted: WantedStatus): WantedStatus {
  const ips = wanted.ips.filter((ip) => service.ingress.some((entry) => entry.ip === ip))
  const refused = wanted.ips.filter((ip) => !ips.includes(ip))
  const message =
    refused.length === 0
      ? 'the API server refuses the status of this Service, as it is stored'
      : `the API server refuses ${refused.join(', ')} in the status of this Service`
  const answer: Answer = { status: 'False', reason: statusRefused, message, since: undefined }
  return { ...wanted, ips, pool: ips.length === 0 ? '' : wanted.pool, answer }
}

/** None where the condition of the Service says so already. */
export function eventsOf({ allocated }: ConditionedService, { answer }: WantedStatus): readonly Event[] {
  const message = answer?.message ?? ''
  if (allocated?.reason === statusRefused && allocated.message === message) return []
  return [{ type: 'Warning', reason: statusRefused, message }]
}
