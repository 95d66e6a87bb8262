/**
 * Events (core/v1) about objects. The same event within ten minutes is counted up, and recording never fails the
 * caller: an event that cannot be written is dropped, with a log line for the first of a streak. Without the right to
 * write events they are dropped unasked, and the right is asked for again ever more seldom.
 */
import { describeError, type Logger } from '@landfall/telemetry'
import { hasStatus } from './api-error.ts'
import { delayMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import type { Key, KubeObject, ObjectReference } from './model/index.ts'
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
  readonly key: Key
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
const mostRemembered = 1000
const mostWaiting = 1000
/** Of an Event's message, by the API server. */
const longestMessage = 1024
const longestName = 220
const forbidden = { firstMs: 500, ceilingMs: 300_000 }

export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #recorded = new Map<string, Recorded>()
  /** One write after the other: a burst of events is no burst of connections. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #serial = 0
  #saidFailing = false
  #forbidden = { times: 0, until: 0 }

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  record(about: ObjectReference, event: EventText): void {
    if (this.#isForbidden()) return
    if (this.#waiting >= mostWaiting) return this.#sayFailed(event, new Error('too many events wait'))
    this.#waiting++
    this.#last = this.#last
      .then(() => (this.#isForbidden() ? undefined : this.#write(about, event)))
      .then(
        () => {
          if (!this.#isForbidden()) this.#saidFailing = false
        },
        (error: unknown) => this.#failed(event, error),
      )
      .then(() => {
        this.#waiting--
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
      if (await this.#countUp(known, now)) return
    }
    const namespace = about.namespace === '' ? 'default' : about.namespace
    const name = `${about.name.slice(0, longestName)}.${this.#suffix()}`
    await this.#options.cluster.create(eventType, this.#object(about, event, namespace, name, now))
    this.#forbidden = { times: 0, until: 0 }
    this.#remember(identity, { key: `${namespace}/${name}`, at: performance.now(), count: 1 })
  }

  /** @returns false when the event is gone meanwhile */
  async #countUp(known: Recorded, now: string): Promise<boolean> {
    try {
      await this.#options.cluster.patch(eventType, known.key, { count: known.count + 1, lastTimestamp: now })
      known.count++
      return true
    } catch (error) {
      if (hasStatus(error, 404)) return false
      throw error
    }
  }

  /** Different in every process and for every event, as client-go's is: time in hexadecimal. */
  #suffix(): string {
    this.#serial++
    const micros = BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1000))
    return (micros * 1000n + BigInt(this.#serial % 1000)).toString(16)
  }

  #object(about: ObjectReference, event: EventText, namespace: string, name: string, now: string): RawObject {
    const { component, host } = this.#options
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name },
      involvedObject: about,
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, longestMessage),
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
  }

  #remember(identity: string, recorded: Recorded): void {
    this.#recorded.delete(identity)
    this.#recorded.set(identity, recorded)
    if (this.#recorded.size <= mostRemembered) return
    const [oldest] = this.#recorded.keys()
    if (oldest !== undefined) this.#recorded.delete(oldest)
  }

  #isForbidden(): boolean {
    return performance.now() < this.#forbidden.until
  }

  #failed(event: EventText, error: unknown): void {
    if (hasStatus(error, 403) && !isEndOfNamespace(error)) {
      const times = this.#forbidden.times + 1
      this.#forbidden = { times, until: performance.now() + delayMs(forbidden, times - 1) }
    }
    this.#sayFailed(event, error)
  }

  #sayFailed(event: EventText, error: unknown): void {
    if (this.#saidFailing) return
    this.#saidFailing = true
    const fields = { reason: event.reason, error: describeError(error) }
    this.#options.logger.warn('eventFailed', fields, 'an event was dropped, as further ones may be')
  }
}

/** The other refusal with this status: of one namespace, to everybody. */
function isEndOfNamespace(error: unknown): boolean {
  return error instanceof Error && error.message.includes('being terminated')
}
