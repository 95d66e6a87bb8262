/** Waits until a component's workloads run, and says what it waits for whenever that changes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, hasStatus, podType } from '@landfall/kube'
import { type Manifest, nameOfObject, type RenderedComponent } from '@landfall/lokocfg'
import { describeError } from '@landfall/telemetry'
import { fieldsOf, readObject } from './objects.ts'
import { podTrouble, type Readiness, readinessOf } from './readiness.ts'

export interface Patience {
  readonly timeoutMs: number
  readonly pollMs: number
}

const kinds = ['Job', 'Deployment', 'DaemonSet']

/** @throws when one has failed or the time is over, naming all that are not ready and why */
export async function waitUntilReady(
  cluster: Cluster,
  { objects }: RenderedComponent,
  patience: Patience,
  say: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + patience.timeoutMs
  const said = new Map<string, string>()
  let open = objects.filter(({ kind }) => kinds.includes(kind))
  for (;;) {
    const late = Date.now() > deadline
    const still: Manifest[] = []
    const told: string[] = []
    for (const object of open) {
      const readiness = await look(cluster, object).catch(absence)
      const name = nameOfObject(object)
      if (readiness.kind === 'failed') throw new Error(`${name} has failed: ${readiness.what}`)
      const line = textOf(name, readiness)
      if (said.get(name) !== line && (readiness.kind === 'waiting' || said.has(name) || readiness.note))
        say(line)
      said.set(name, line)
      if (readiness.kind === 'waiting') still.push(object)
      if (readiness.kind === 'waiting') told.push(`  ${name}: ${readiness.what}`)
    }
    if (still.length === 0) return
    if (late) throw new Error(`not ready after ${patience.timeoutMs / 1000} s:\n${told.join('\n')}`)
    open = still
    await sleep(patience.pollMs)
  }
}

function textOf(name: string, readiness: Readiness): string {
  if (readiness.kind === 'ready') return `${name} is ready${readiness.note ? `, but ${readiness.note}` : ''}`
  return `Waiting for ${name}: ${readiness.what}`
}

/** An API server that is away for a while is waited for, too: it may be restarted by what is installed. */
function absence(error: unknown): Readiness {
  if (!hasStatus(error, 0, 429, 500, 502, 503, 504)) throw error
  return { kind: 'waiting', what: `the API server does not answer (${describeError(error)})` }
}

async function look(cluster: Cluster, object: Manifest): Promise<Readiness> {
  const raw = await readObject(cluster, object)
  if (raw === undefined) return { kind: 'failed', what: 'somebody deleted it' }
  const readiness = readinessOf(object.kind, raw)
  if (readiness.kind !== 'waiting') return readiness
  const trouble = await troubleOf(cluster, object)
  return trouble === undefined ? readiness : { kind: 'waiting', what: `${readiness.what} (${trouble})` }
}

/** Of the first of its pods that says one. */
async function troubleOf(cluster: Cluster, object: Manifest): Promise<string | undefined> {
  const { namespace, name } = object.metadata
  const labels = fieldsOf(fieldsOf(fieldsOf(object['spec'])['selector'])['matchLabels'])
  const all = object.kind === 'Job' ? { 'batch.kubernetes.io/job-name': name } : labels
  const labelSelector = Object.entries(all)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',')
  const { items } = await cluster.list(podType, { ...(namespace && { namespace }), labelSelector })
  for (const pod of items) {
    const trouble = podTrouble(pod)
    if (trouble !== undefined) return `pod ${pod.metadata.name}: ${trouble}`
  }
  return undefined
}
