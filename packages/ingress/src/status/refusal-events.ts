/**
 * Tells an Ingress, which has no conditions, what Envoys refuse of its hosts: by an Event with Envoy's words, and with
 * the content that they are about, for a replica that starts. Every replica tells what its own Envoys say.
 */
import type { EventRecorder, RawObject } from '@landfall/kube'
import { type Key, keyOf, type ObjectReference, splitKey } from '@landfall/kube/model'
import type { RefusedIn } from '../engine/refusals.ts'
import { readRefused, written } from './refused-content.ts'

/** Content of a host of this very Ingress. */
export interface RefusedOfIngress extends RefusedIn {
  readonly ingress: Key
  readonly uid: string
}

const reason = 'EnvoyRefused'
const kind = 'Ingress'

/** Of the Events that tell it. */
export const fieldSelector = `reason=${reason},involvedObject.kind=${kind}`

const opening = 'Envoy refuses, and goes on with what it had: '

export function tellIngresses(
  events: Pick<EventRecorder, 'record'>,
  refused: readonly RefusedOfIngress[],
): void {
  for (const one of refused) {
    const about = { apiVersion: 'networking.k8s.io/v1', kind, ...splitKey(one.ingress), uid: one.uid }
    events.record(about, { type: 'Warning', reason, message: opening + written(one) })
  }
}

/** What was told so; undefined: the Event is not one of ours. */
export function refusedOf(event: RawObject): RefusedOfIngress | undefined {
  const { involvedObject: about, message } = event as RawObject & EventBody
  const refused = message?.startsWith(opening) ? readRefused(message.slice(opening.length)) : undefined
  if (refused === undefined || about === undefined) return undefined
  const { namespace = '', name = '', uid = '' } = about
  return { ...refused, ingress: keyOf({ namespace, name }), uid }
}

interface EventBody {
  readonly involvedObject?: Partial<ObjectReference>
  readonly message?: string
}
