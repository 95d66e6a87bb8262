/** What a write of a Service's status is worth an Event, for who looks at these rather than at conditions. */
import type { Event } from './allocation/outcome.ts'
import type { Said } from './announcement/index.ts'
import { differsInAttributes, type WantedStatus } from './service-status.ts'
import type { ConditionedService } from './service-type.ts'

/** @returns each with the code of the reason behind it */
export function eventsOfWrite(
  service: ConditionedService,
  wanted: WantedStatus,
): readonly (readonly [event: Event, code: string])[] {
  const { announced, attributes } = wanted
  const events: [Event, string][] = []
  if (announced !== undefined && isNewSilence(service, announced))
    events.push([warning('notAnnounced', announced), announced.reason])
  if (attributes !== undefined && differsInAttributes(service, wanted))
    events.push([warning(attributes.reason, attributes), attributes.reason])
  return events
}

/** That there is no address was told already. */
function isNewSilence({ announced: before }: ConditionedService, { status, reason }: Said): boolean {
  if (status !== 'False' || reason === 'noIPAllocated' || reason === 'announceFailed') return false
  return before?.status !== 'False' || before.reason !== reason
}

function warning(reason: string, { message }: Said): Event {
  return { type: 'Warning', reason, message }
}
