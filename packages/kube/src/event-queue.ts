/**
 * Events that wait to be written, in the order in which they came (pure). The same event is counted, and of one object
 * and one reason only the newest few wait: so every object can have its say, however many there are, and none that says
 * ever other things takes more room than those few.
 */
import type { ObjectReference } from './model/index.ts'

export interface EventText {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase and stable. */
  readonly reason: string
  readonly message: string
}

export interface WaitingEvent {
  readonly about: ObjectReference
  readonly event: EventText
  /** How often it came, and when for the first and the last time. */
  readonly count: number
  readonly first: Date
  readonly last: Date
  /** How often it could not be written. */
  readonly failures: number
}

const mostOfOneReason = 5

export class EventQueue {
  /** By object and reason. */
  readonly #waiting = new Map<string, WaitingEvent[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(one: WaitingEvent): void {
    const key = keyOf(one)
    const alike = this.#waiting.get(key) ?? []
    this.#waiting.set(key, alike)
    const index = alike.findIndex(({ event }) => sameText(event, one.event))
    const same = alike[index]
    if (same !== undefined) {
      alike[index] = merged(same, one)
      return
    }
    alike.push(one)
    if (alike.length > mostOfOneReason) alike.shift()
    else this.#size++
  }

  take(): WaitingEvent | undefined {
    for (const [key, alike] of this.#waiting) {
      const one = alike.shift()
      if (alike.length === 0) this.#waiting.delete(key)
      this.#size--
      return one
    }
    return undefined
  }

  clear(): void {
    this.#waiting.clear()
    this.#size = 0
  }
}

function keyOf({ about, event }: WaitingEvent): string {
  const { kind, namespace, name, uid } = about
  return [kind, namespace, name, uid, event.reason].join(' ')
}

function sameText(a: EventText, b: EventText): boolean {
  return a.type === b.type && a.message === b.message
}

function merged(a: WaitingEvent, b: WaitingEvent): WaitingEvent {
  return {
    ...a,
    count: a.count + b.count,
    first: a.first < b.first ? a.first : b.first,
    last: a.last > b.last ? a.last : b.last,
    failures: Math.max(a.failures, b.failures),
  }
}
