/**
 * Events (core/v1) about objects. The same event within ten minutes is counted up, and recording never fails the
 * caller. Events wait while the API server is away, and are tried again when it fails; one that it will not take is
 * dropped, with a log line for the first of a streak. Without the right to write events they are dropped unasked, and
 * the right is asked for again ever more seldom. Who may not write any more drops what waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, type Logger } from '@landfall/telemetry'
import { ApiError, hasStatus } from './api-error.ts'
import { delayMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import { EventQueue, type EventText, type WaitingEvent } from './event-queue.ts'
import type { Key, KubeObject, ObjectReference } from './model/index.ts'
import { projectMeta, type RawObject, type ResourceType } from './resource.ts'

export type { EventText } from './event-queue.ts'

export interface EventRecorderOptions {
  readonly cluster: Cluster
  /** `metallb-controller` */
  readonly component: string
  readonly host?: string
  readonly logger: Logger
  /** Asked right before each write: still leader? Default always. */
  readonly mayWrite?: () => boolean
}

interface Recorded {
  readonly key: Key
  readonly at: number
  count: number
}

export const eventType: ResourceType = {
  apiVersion: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  project: (raw): KubeObject => ({ meta: projectMeta(raw) }),
}

const sameForMs = 600_000
const mostRemembered = 1000
/** Of an Event's message, by the API server. */
const longestMessage = 1024
const longestName = 220
const forbidden = { firstMs: 500, ceilingMs: 300_000 }
/** An API server that has just started refuses everybody: so many refusals in a row are meant. */
const meantRefusals = 3
const retry = { firstMs: 250, ceilingMs: 10_000 }
const mostFailures = 5
/** What an Event tells of is done first: it is of the same moment, and the API server's time is short. */
const behindMs = 100
/** At the end nobody waits longer for what is still to be written. */
const flushMs = 3000

export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #recorded = new Map<string, Recorded>()
  readonly #queue = new EventQueue()
  /** One write after the other: a burst of events is no burst of connections. */
  #writing: Promise<void> | undefined
  /** Ends a pause between writes. */
  #hurry = new AbortController()
  #serial = 0
  #saidFailing = false
  /** In a row, whatever the event. */
  #failures = 0
  #forbidden = { times: 0, until: 0 }

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  record(about: ObjectReference, event: EventText): void {
    if (this.#isForbidden() && this.#forbidden.times >= meantRefusals) return
    const now = new Date()
    this.#queue.add({ about, event, count: 1, first: now, last: now, failures: 0 })
    this.#writing ??= this.#writeAll()
  }

  /** Resolves when what was recorded so far is written or dropped: what takes longer is dropped, as at an end. */
  async flush(withinMs = flushMs): Promise<void> {
    if (this.#writing === undefined) return
    const late = new AbortController()
    this.#hurry.abort()
    await Promise.race([
      this.#writing,
      sleep(withinMs, undefined, { signal: late.signal, ref: false }).catch(() => {}),
    ])
    late.abort()
    this.#hurry = new AbortController()
    this.#drop('there was no time to write them')
  }

  #drop(why: string): void {
    const { size: count } = this.#queue
    if (count === 0) return
    this.#options.logger.warn('eventsDropped', { count }, why)
    this.#queue.clear()
  }

  #mayWrite(): boolean {
    return this.#options.mayWrite?.() ?? true
  }

  async #writeAll(): Promise<void> {
    await sleep(behindMs, undefined, { signal: this.#hurry.signal }).catch(() => {})
    while (this.#queue.size > 0) {
      const { signal } = this.#hurry
      await this.#pause(signal)
      if (!this.#mayWrite()) this.#drop('they are not to be written any more')
      const one = this.#queue.take()
      if (one === undefined) break
      await this.#write(one).then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(one, error, signal.aborted),
      )
    }
    this.#writing = undefined
  }

  async #write({ about, event, count, first, last }: WaitingEvent): Promise<void> {
    const identity = JSON.stringify([about.kind, about.namespace, about.name, about.uid, event])
    const times = { count, firstTimestamp: timeOf(first), lastTimestamp: timeOf(last) }
    const known = this.#recorded.get(identity)
    if (known !== undefined && performance.now() - known.at < sameForMs) {
      if ((await this.#countUp(known, times)) || !this.#mayWrite()) return
    }
    const namespace = about.namespace === '' ? 'default' : about.namespace
    const name = `${about.name.slice(0, longestName)}.${this.#suffix()}`
    await this.#options.cluster.create(eventType, this.#object({ about, event, namespace, name, times }))
    this.#remember(identity, { key: `${namespace}/${name}`, at: performance.now(), count })
  }

  /** @returns false when the event is gone meanwhile */
  async #countUp(known: Recorded, { count, lastTimestamp }: Times): Promise<boolean> {
    try {
      await this.#options.cluster.patch(eventType, known.key, { count: known.count + count, lastTimestamp })
      known.count += count
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

  #object(o: {
    readonly about: ObjectReference
    readonly event: EventText
    readonly namespace: string
    readonly name: string
    readonly times: Times
  }): RawObject {
    const { about, event, namespace, name, times } = o
    const { component, host } = this.#options
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name },
      involvedObject: about,
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, longestMessage),
      ...times,
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

  #succeeded(): void {
    this.#saidFailing = false
    this.#failures = 0
    this.#forbidden = { times: 0, until: 0 }
  }

  /** It waits again, or is dropped. @param isOver nothing waits for a better time */
  #failed(one: WaitingEvent, error: unknown, isOver: boolean): void {
    if (hasStatus(error, 403) && !isEndOfNamespace(error)) return this.#refused(one, error, isOver)
    if (this.#options.cluster.gate.isOutage()) {
      if (!isOver) return this.#queue.add(one)
      this.#queue.clear()
    }
    this.#failures = isPassing(error) ? this.#failures + 1 : 0
    const failures = one.failures + 1
    if (isPassing(error) && failures < mostFailures && !isOver) this.#queue.add({ ...one, failures })
    else this.#sayFailed(one.event, error)
  }

  #refused(one: WaitingEvent, error: unknown, isOver: boolean): void {
    const times = this.#forbidden.times + 1
    this.#forbidden = { times, until: performance.now() + delayMs(forbidden, times - 1) }
    if (times < meantRefusals && !isOver) return this.#queue.add(one)
    this.#queue.clear()
    this.#sayFailed(one.event, error)
  }

  /** Until the next write makes sense. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { gate } = this.#options.cluster
    if (gate.isOutage()) return gate.pass(signal)
    const again = this.#failures === 0 ? 0 : delayMs(retry, this.#failures - 1)
    const wait = Math.max(again, this.#forbidden.until - performance.now())
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {})
  }

  #sayFailed(event: EventText, error: unknown): void {
    if (this.#saidFailing) return
    this.#saidFailing = true
    const fields = { reason: event.reason, error: describeError(error) }
    this.#options.logger.warn('eventFailed', fields, 'an event was dropped, as further ones may be')
  }
}

interface Times {
  readonly count: number
  /** RFC 3339, to the second. */
  readonly firstTimestamp: string
  readonly lastTimestamp: string
}

function timeOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The server has trouble, not with this event. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500)
}

/** The other refusal with this status: of one namespace, to everybody. */
function isEndOfNamespace(error: unknown): boolean {
  return error instanceof Error && error.message.includes('being terminated')
}
