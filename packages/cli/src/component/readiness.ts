/** Whether a workload is as its object wants it, and else what is missing (pure). */
import type { RawObject } from '@landfall/kube'
import { fieldsOf } from './objects.ts'

export type Readiness =
  | { readonly kind: 'ready'; readonly note?: string }
  | { readonly kind: 'waiting'; readonly what: string }
  | { readonly kind: 'failed'; readonly what: string }

const waiting = (what: string): Readiness => ({ kind: 'waiting', what })

/** Of a Deployment, DaemonSet or Job; anything else is ready when it is there. */
export function readinessOf(kind: string, object: RawObject): Readiness {
  const spec = fieldsOf(object['spec'])
  const status = fieldsOf(object['status'])
  const count = (field: string) => Number(status[field] ?? 0)
  const seen = count('observedGeneration') >= (object.metadata.generation ?? 0)
  if (kind === 'Job') return jobReadiness(status)
  if (kind === 'Deployment') {
    const wanted = Number(spec['replicas'] ?? 1)
    const updated = Math.min(count('updatedReplicas'), count('availableReplicas'))
    const old = count('replicas') - count('updatedReplicas')
    if (!seen) return waiting('nobody has looked at it yet')
    if (updated < wanted) return waiting(`${updated} of ${wanted} available`)
    return old > 0 ? waiting(`${old} of the old ones still there`) : { kind: 'ready' }
  }
  if (kind === 'DaemonSet') {
    const wanted = count('desiredNumberScheduled')
    const updated = Math.min(count('updatedNumberScheduled'), count('numberAvailable'))
    if (!seen) return waiting('nobody has looked at it yet')
    if (wanted === 0)
      return { kind: 'ready', note: 'no node is eligible: look at its nodeSelector and tolerations' }
    return updated < wanted ? waiting(`${updated} of ${wanted} available`) : { kind: 'ready' }
  }
  return { kind: 'ready' }
}

function jobReadiness(status: Readonly<Record<string, unknown>>): Readiness {
  const conditions = Array.isArray(status['conditions']) ? status['conditions'].map(fieldsOf) : []
  const holds = (type: string) => conditions.find((one) => one['type'] === type && one['status'] === 'True')
  const failed = holds('Failed')
  if (failed !== undefined) return { kind: 'failed', what: String(failed['message'] ?? failed['reason']) }
  if (holds('Complete') !== undefined) return { kind: 'ready' }
  const failures = Number(status['failed'] ?? 0)
  return waiting(failures === 0 ? 'not complete' : `not complete, failed ${failures} times`)
}

/** Why a pod is not ready, in Kubernetes' own words; undefined when it is, or nothing is said. */
export function podTrouble(pod: RawObject): string | undefined {
  const status = fieldsOf(pod['status'])
  const listed = (field: string) => (Array.isArray(status[field]) ? status[field].map(fieldsOf) : [])
  const unscheduled = listed('conditions').find(
    (one) => one['type'] === 'PodScheduled' && one['status'] === 'False',
  )
  if (unscheduled !== undefined) return String(unscheduled['message'] ?? unscheduled['reason'])
  for (const container of [...listed('initContainerStatuses'), ...listed('containerStatuses')]) {
    const state = fieldsOf(container['state'])
    const stopped = fieldsOf(
      state['waiting'] ?? (container['ready'] === true ? undefined : state['terminated']),
    )
    const { reason, message } = stopped
    if (typeof reason !== 'string' || reason === 'PodInitializing' || reason === 'Completed') continue
    const text = typeof message === 'string' && message !== '' ? `: ${message}` : ''
    return `container ${String(container['name'])}: ${reason}${text}`
  }
  return undefined
}
