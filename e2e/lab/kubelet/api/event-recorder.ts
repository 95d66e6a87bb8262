// Events of the process kubelet, as `kubectl describe pod` shows them. Best effort: an event that
// cannot be written is dropped; the same one within a minute is not repeated.
import type { ApiClient } from './api-client.ts'
import type { Pod } from './pod.ts'

export interface PodEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

const REPEAT_MS = 60_000

export class EventRecorder {
  readonly #client: ApiClient
  readonly #nodeName: string
  readonly #seen = new Map<string, number>()
  #serial = 0

  constructor(client: ApiClient, nodeName: string) {
    this.#client = client
    this.#nodeName = nodeName
  }

  record(pod: Pod, event: PodEvent): void {
    const now = Date.now()
    const same = `${pod.metadata.uid}/${event.reason}/${event.message}`
    if (now - (this.#seen.get(same) ?? 0) < REPEAT_MS) return
    for (const [key, time] of this.#seen) if (now - time >= REPEAT_MS) this.#seen.delete(key)
    this.#seen.set(same, now)
    this.#serial += 1
    const { namespace, name, uid } = pod.metadata
    const time = new Date(now).toISOString().replace(/\.\d+Z/, 'Z')
    const body = {
      metadata: { namespace, name: `${name}.${now.toString(16)}.${this.#serial.toString(16)}` },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type: event.type,
      reason: event.reason,
      message: event.message,
      source: { component: 'kubelet', host: this.#nodeName },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    }
    this.#client
      .request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body })
      .catch(() => this.#seen.delete(same))
  }
}
