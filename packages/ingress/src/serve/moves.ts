/**
 * A route that moves to a Service which nobody can be sent to yet goes on as it was: a change of an HTTPProxy or
 * Ingress that names a Service newly waits until that is there and has a ready endpoint, at most a second. They come
 * together in one `kubectl apply`, but in any order, and their endpoints a moment later.
 * In: changes as they are observed. Out: the same, some of them later.
 */
import type { HTTPProxy } from '@landfall/api'
import type { EndpointSlice, Ingress, Key, Service } from '@landfall/kube/model'
import type { Change, SliceChange } from '../model/objects.ts'

/** It may be meant: a Service that is not there has a condition to be told. */
const patienceMs = 1000

interface Waiting {
  readonly change: Change
  readonly timer: NodeJS.Timeout
}

export class Moves {
  readonly #release: (changes: readonly Change[]) => void
  /** Those that exist, and whether they need endpoints. */
  readonly #services = new Map<Key, boolean>()
  /** Ready endpoints of each Service that has any. */
  readonly #endpoints = new Map<Key, number>()
  /** By kind and key. */
  readonly #waiting = new Map<string, Waiting>()

  constructor(release: (changes: readonly Change[]) => void) {
    this.#release = release
  }

  /** @returns what need not wait */
  take(changes: readonly Change[]): readonly Change[] {
    for (const change of changes) if (change.kind === 'service') this.#note(change.key, change.after)
    const passed = changes.flatMap((change) => this.#pass(change) ?? [])
    return [...passed, ...this.#arrived()]
  }

  /** To be told after those who serve endpoints. */
  takeSlices(changes: readonly SliceChange[]): void {
    for (const { before, after } of changes) {
      this.#count(before, -1)
      this.#count(after, 1)
    }
    const arrived = this.#arrived()
    if (arrived.length > 0) this.#release(arrived)
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }

  /** With what waited of the same object; undefined when it waits. */
  #pass(change: Change): Change | undefined {
    const id = idOf(change)
    const waiting = this.#waiting.get(id)
    const whole = waiting === undefined ? change : since(waiting.change, change)
    if (this.#lacks(whole)) {
      const timer = waiting?.timer ?? setTimeout(() => this.#expire(id), patienceMs)
      this.#waiting.set(id, { change: whole, timer })
      return undefined
    }
    if (waiting !== undefined) this.#forget(id, waiting)
    return whole
  }

  #arrived(): readonly Change[] {
    const arrived = [...this.#waiting].filter(([, { change }]) => !this.#lacks(change))
    for (const [id, waiting] of arrived) this.#forget(id, waiting)
    return arrived.map(([, { change }]) => change)
  }

  #expire(id: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#forget(id, waiting)
    this.#release([waiting.change])
  }

  #forget(id: string, { timer }: Waiting): void {
    clearTimeout(timer)
    this.#waiting.delete(id)
  }

  #lacks(change: Change): boolean {
    if (change.kind !== 'httpProxy' && change.kind !== 'ingress') return false
    const { before, after } = change
    if (before === undefined || after === undefined || before === after) return false
    const named = new Set(servicesOf(before))
    return servicesOf(after).some((service) => !named.has(service) && !this.#isThere(service))
  }

  #isThere(service: Key): boolean {
    const needsEndpoints = this.#services.get(service)
    return needsEndpoints === false || (needsEndpoints === true && this.#endpoints.has(service))
  }

  #note(key: Key, service: Service | undefined): void {
    if (service === undefined) this.#services.delete(key)
    else this.#services.set(key, service.type !== 'ExternalName')
  }

  #count(slice: EndpointSlice | undefined, sign: 1 | -1): void {
    if (slice === undefined || slice.serviceName === '') return
    const ready = slice.endpoints.filter((endpoint) => endpoint.ready).length
    if (ready === 0) return
    const key = `${slice.meta.namespace}/${slice.serviceName}`
    const count = (this.#endpoints.get(key) ?? 0) + sign * ready
    if (count > 0) this.#endpoints.set(key, count)
    else this.#endpoints.delete(key)
  }
}

function idOf({ kind, key }: Change): string {
  return `${kind}:${key}`
}

/** Both as one. They are of one object, and so of one kind. */
function since(first: Change, then: Change): Change {
  return { ...then, before: first.before } as Change
}

function servicesOf(object: HTTPProxy | Ingress | undefined): readonly Key[] {
  if (object === undefined) return []
  const names = 'spec' in object ? ofProxy(object) : ofIngress(object)
  return names.map((name) => `${object.meta.namespace}/${name}`)
}

function ofProxy({ spec }: HTTPProxy): readonly string[] {
  const { routes = [], tcpproxy } = spec
  const services = [...routes.flatMap((route) => route.services ?? []), ...(tcpproxy?.services ?? [])]
  return services.map(({ name }) => name)
}

function ofIngress({ defaultBackend, rules }: Ingress): readonly string[] {
  const backends = [defaultBackend, ...rules.flatMap(({ paths }) => paths.map(({ backend }) => backend))]
  return backends.flatMap((backend) => backend?.serviceName ?? [])
}
