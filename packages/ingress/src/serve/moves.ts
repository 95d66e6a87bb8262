/**
 * What comes and goes together, in any order, loses no request: a route that moves to a Service which nobody can be sent to
 * yet goes on as it was, and a Service that is deleted, or the EndpointSlice with its last endpoints, is there a while longer
 * for those whose move to another is still on its way. Nothing waits longer than a second.
 *   * A change of an HTTPProxy or Ingress that names a Service newly waits until that is there and has a ready endpoint.
 *   * The end of a Service waits, and that of a slice with ready endpoints if no others are left of its Service.
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

interface LastSlice {
  readonly change: SliceChange
  readonly service: Key
  readonly timer: NodeJS.Timeout
}

export interface MovesOptions {
  /** Of what has waited. */
  readonly release: (changes: readonly Change[]) => void
  /** Serves endpoints at once. */
  readonly serve: (changes: readonly SliceChange[]) => void
}

export class Moves {
  readonly #release: MovesOptions['release']
  readonly #serve: MovesOptions['serve']
  /** Those that exist, and whether they need endpoints. */
  readonly #services = new Map<Key, boolean>()
  /** Ready endpoints of each Service that has any. */
  readonly #endpoints = new Map<Key, number>()
  /** By kind and key. */
  readonly #waiting = new Map<string, Waiting>()
  /** That go, by their keys. */
  readonly #last = new Map<Key, LastSlice>()

  constructor({ release, serve }: MovesOptions) {
    this.#release = release
    this.#serve = serve
  }

  /** @returns what need not wait */
  take(changes: readonly Change[]): readonly Change[] {
    for (const change of changes) if (change.kind === 'service') this.#note(change.key, change.after)
    const passed = changes.flatMap((change) => this.#pass(change) ?? [])
    const came = changes.some(({ kind, after }) => kind === 'service' && after !== undefined)
    return came ? [...passed, ...this.#arrived()] : passed
  }

  /** Endpoints are served before those who wait for them are told. */
  takeSlices(changes: readonly SliceChange[]): void {
    for (const { before, after } of changes) {
      this.#count(before, -1)
      this.#count(after, 1)
    }
    const passed = changes.flatMap((change) => this.#passSlice(change) ?? [])
    // Of what goes alone nobody gets what he waits for: many may wait when many go.
    if (!changes.some(({ after }) => readyService(after) !== undefined)) return this.#serve(passed)
    const others = [...this.#last.values()].filter(({ service }) => this.#endpoints.has(service))
    this.#serve([...passed, ...others.map((last) => this.#go(last))])
    const arrived = this.#arrived()
    if (arrived.length > 0) this.#release(arrived)
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    for (const { timer } of this.#last.values()) clearTimeout(timer)
    this.#last.clear()
  }

  /** With what waited of the same object; undefined when it waits. */
  #pass(change: Change): Change | undefined {
    const id = idOf(change)
    const waiting = this.#waiting.get(id)
    const whole = waiting === undefined ? change : since(waiting.change, change)
    if (this.#waits(whole)) {
      const timer = waiting?.timer ?? setTimeout(() => this.#expire(id), patienceMs)
      this.#waiting.set(id, { change: whole, timer })
      return undefined
    }
    if (waiting !== undefined) this.#forget(id, waiting)
    return whole
  }

  #arrived(): readonly Change[] {
    const arrived = [...this.#waiting].filter(([, { change }]) => !this.#waits(change))
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

  /** With what waited of the same slice; undefined when it waits. */
  #passSlice(change: SliceChange): SliceChange | undefined {
    const { key } = change
    const waiting = this.#last.get(key)
    const whole = waiting === undefined ? change : { ...this.#go(waiting), after: change.after }
    const service = whole.after === undefined ? readyService(whole.before) : undefined
    if (service === undefined || this.#endpoints.has(service)) return whole
    const expire = (): void => {
      const last = this.#last.get(key)
      if (last !== undefined) this.#serve([this.#go(last)])
    }
    this.#last.set(key, { change: whole, service, timer: setTimeout(expire, patienceMs) })
    return undefined
  }

  #go({ change, timer }: LastSlice): SliceChange {
    clearTimeout(timer)
    this.#last.delete(change.key)
    return change
  }

  #waits(change: Change): boolean {
    if (change.kind === 'service') return change.before !== undefined && change.after === undefined
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
    const key = readyService(slice)
    if (slice === undefined || key === undefined) return
    const ready = readyIn(slice)
    const count = (this.#endpoints.get(key) ?? 0) + sign * ready
    if (count > 0) this.#endpoints.set(key, count)
    else this.#endpoints.delete(key)
  }
}

function readyIn({ endpoints }: EndpointSlice): number {
  return endpoints.filter((endpoint) => endpoint.ready).length
}

/** That the slice has ready endpoints of. */
function readyService(slice: EndpointSlice | undefined): Key | undefined {
  if (slice === undefined || slice.serviceName === '' || readyIn(slice) === 0) return undefined
  return `${slice.meta.namespace}/${slice.serviceName}`
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
