/**
 * Tells an Ingress, which has no conditions, what Envoys refuse of its hosts: by an Event with Envoy's words. Every
 * replica tells what its own Envoys say.
 */
import type { EventRecorder } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { World } from '../model/objects.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'

const apiVersion = 'networking.k8s.io/v1'

export function tellIngresses(
  events: Pick<EventRecorder, 'record'>,
  ingresses: readonly Key[],
  world: Pick<World, 'ingress'>,
  { type, name, message }: Pick<RefusedContent, 'type' | 'name' | 'message'>,
): void {
  for (const key of ingresses) {
    const meta = world.ingress.get(key)?.meta
    if (meta === undefined) continue
    const { namespace, uid } = meta
    const about = { apiVersion, kind: 'Ingress', namespace, name: meta.name, uid }
    events.record(about, {
      type: 'Warning',
      reason: 'EnvoyRefused',
      message: `Envoy refuses ${type} "${name}" and goes on with what it had: ${message}`,
    })
  }
}
