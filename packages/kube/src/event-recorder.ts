/**
 * Events (core/v1) about objects. The same event within ten minutes is counted up, and recording never fails the
 * caller: an event that cannot be written is dropped with a log line.
 */
import { describeError, type Logger } from '@landfall/telemetry'
import type { Cluster } from './cluster.ts'
import type { KubeObject, ObjectReference } from './model/index.ts'
import { projectMeta, type RawObject, type ResourceType } from './resource.ts'

export interface EventText {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase and stable. */
  readonly reason: string
  readonly message: string
}

export interface EventRecorderOptions {
  readonly cluster: Cluster
  /** `metallb-controller` */
  readonly component: string
  readonly host?: string
  readonly logger: Logger
}

interface Recorded {
  readonly key: string
  readonly first: string
  readonly at: number
  count: number
}

const eventType: ResourceType = {
  apiVersion: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  project: (raw): KubeObject => ({ meta: projectMeta(raw) }),
}

const sameForMs = 600_000
const mostRemembered = 5000

export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #recorded = new Map<string, Recorded>()
  /** One write after the other: a burst of events is no burst of connections. */
  #last: Promise<void> = Promise.resolve()

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  record(about: ObjectReference, event: EventText): void {
    const written = this.#last.then(() => this.#write(about, event))
    this.#last = written.catch((error: unknown) => {
      this.#options.logger.warn('eventFailed', { reason: event.reason, error: describeError(error) })
    })
  }

  /** Resolves when what was recorded so far is written or dropped. */
  flush(): Promise<void> {
    return this.#last
  }

  async #write(about: ObjectReference, event: EventText): Promise<void> {
    const identity = JSON.stringify([about.kind, about.namespace, about.name, about.uid, event])
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const known = this.#recorded.get(identity)
    if (known !== undefined && performance.now() - known.at < sameForMs) {
      known.count++
      await this.#options.cluster.patch(eventType, known.key, { count: known.count, lastTimestamp: now })
      return
    }
    const namespace = about.namespace === '' ? 'default' : about.namespace
    const suffix = Math.floor(performance.timeOrigin * 1000 + performance.now() * 1000).toString(16)
    const name = `${about.name}.${suffix}`
    this.#remember(identity, { key: `${namespace}/${name}`, first: now, at: performance.now(), count: 1 })
    await this.#options.cluster.create(eventType, this.#object(about, event, namespace, name, now))
  }

  #object(about: ObjectReference, event: EventText, namespace: string, name: string, now: string): RawObject {
    const { component, host } = this.#options
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name },
      involvedObject: about,
      ...event,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
  }

  #remember(identity: string, recorded: Recorded): void {
    this.#recorded.set(identity, recorded)
    if (this.#recorded.size <= mostRemembered) return
    const [oldest] = this.#recorded.keys()
    if (oldest !== undefined) this.#recorded.delete(oldest)
  }
}
