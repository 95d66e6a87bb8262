/**
 * Keeps the status of HTTPProxies, Ingresses and ExtensionServices true: verdicts, and the addresses where traffic comes in. One
 * replica writes, the leader; an object whose observed status is right already is not even read.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import {
  type DetailedCondition,
  type ExtensionService,
  type ExtensionServiceStatus,
  extensionService,
  type HTTPProxy,
  type HTTPProxyStatus,
} from '@landfall/api'
import {
  type Cluster,
  customType,
  ingressType,
  type RawObject,
  type ResourceType,
  StatusWriter,
  WorkQueue,
  type WriteOptions,
} from '@landfall/kube'
import type { Ingress, Key, KubeObject, LoadBalancerIngress } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { JudgedKind } from '../dag/outcome.ts'
import type { RefusedIn } from '../engine/refusals.ts'
import type { Verdict } from '../engine/verdicts.ts'
import { isOurIngress, isOurProxy } from '../model/ingress-class.ts'
import type { World } from '../model/objects.ts'
import type { Programmed } from '../xds/programming.ts'
import { sameAddresses } from './addresses.ts'
import { extensionStatus } from './extension-status.ts'
import {
  absentReason,
  acknowledgedCondition,
  programmedType,
  refusalsTold,
  refusedCondition,
  type Told,
  withProgrammed,
} from './programmed-condition.ts'
import { proxyStatus } from './proxy-status.ts'

export type StatusKind = JudgedKind

export interface StatusSyncOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly world: World
  readonly classes: readonly string[]
  readonly httpProxyType: ResourceType<HTTPProxy>
  readonly verdict: (kind: StatusKind, key: Key) => Verdict
  /** What Envoys refuse of the proxy's host, with what its status says of the same content. */
  readonly refusals: (host: string, proxy: Key, told: readonly Told[]) => readonly RefusedIn[]
  /** How far Envoys are with the proxy's host; undefined: there is nothing that they should have of it. */
  readonly programmed: (host: string, proxy: Key) => Programmed | undefined
  readonly addresses: () => readonly LoadBalancerIngress[]
  readonly isLeader: () => boolean
  /** Changes come in one after the other: those come first. */
  readonly isBusy?: () => boolean
  /** @param seconds that it took */
  readonly onOutcome: (kind: StatusKind, outcome: StatusOutcome, seconds: number) => void
  /** An object of this kind changed while its status was written. */
  readonly onConflict?: (kind: string) => void
}

export const extensionServiceType = customType<ExtensionService>(extensionService)

export type StatusOutcome = 'written' | 'unchanged' | 'failed'

/** While hosts change one after the other they come first: statuses one at a time, with a rest after each. */
const concurrency = { usual: 8, busy: 1 } as const
const restMs = 20
const programmed = 'programmed'
/** For so long a verdict waits for what Envoys have yet to say, so that both are one write. */
const patienceMs = 2000
export const statusKinds = ['httpProxy', 'ingress', 'extensionService'] as const satisfies StatusKind[]

interface Waiting {
  readonly generation: number
  /** performance.now() */
  readonly since: number
}

export class StatusSync {
  readonly #options: StatusSyncOptions
  /** HTTPProxies of which Envoys have yet to say something that their status does not. */
  readonly #waiting = new Map<Key, Waiting>()
  readonly #writer: StatusWriter
  readonly #queue: WorkQueue
  readonly #writers: Readonly<Record<StatusKind, (key: Key) => Promise<StatusOutcome | undefined>>> = {
    httpProxy: (key) => this.#proxy(key),
    ingress: (key) => this.#ingress(key),
    extensionService: (key) => this.#extension(key),
  }

  constructor(options: StatusSyncOptions) {
    this.#options = options
    this.#writer = new StatusWriter(options.cluster, options.logger, undefined, options.onConflict)
    const { cluster, logger } = options
    this.#queue = new WorkQueue({
      concurrency: () => (options.isBusy?.() === true ? concurrency.busy : concurrency.usual),
      logger,
      gate: cluster.gate,
      work: (tagged) => this.#work(tagged),
    })
  }

  /** Something about the object's status may have changed. */
  touch(kind: StatusKind, key: Key): void {
    if (this.#options.isLeader()) this.#queue.add(`${kind}:${key}`)
  }

  /** What Envoys say of the proxy has changed: that each replica writes itself, whoever leads. */
  touchProgrammed(key: Key): void {
    this.#queue.add(`${this.#options.isLeader() ? 'httpProxy' : programmed}:${key}`)
  }

  /** Envoys have come: of some objects that may be news. */
  touchWaiting(): void {
    for (const [key, { generation }] of this.#waiting) {
      this.#waiting.set(key, { generation, since: performance.now() })
      this.touch('httpProxy', key)
    }
  }

  touchAll(): void {
    for (const key of this.#options.world.httpProxy.keys()) this.touch('httpProxy', key)
    for (const key of this.#options.world.ingress.keys()) this.touch('ingress', key)
    for (const key of this.#options.world.extensionService.keys()) this.touch('extensionService', key)
  }

  stop(): Promise<void> {
    return this.#queue.stop()
  }

  async #work(tagged: string): Promise<void> {
    const colon = tagged.indexOf(':')
    const what = tagged.slice(0, colon)
    const kind = statusKinds.find((one) => one === what) ?? 'httpProxy'
    const key = tagged.slice(colon + 1)
    const leads = this.#options.isLeader()
    if (!leads && what !== programmed) return
    const started = performance.now()
    const seconds = () => (performance.now() - started) / 1000
    try {
      const outcome = await (leads ? this.#writers[kind](key) : this.#programmed(key))
      if (outcome !== undefined) this.#options.onOutcome(kind, outcome, seconds())
      if (outcome === 'written' && this.#options.isBusy?.() === true) await sleep(restMs)
    } catch (error) {
      this.#options.onOutcome(kind, 'failed', seconds())
      throw error
    }
  }

  /** Undefined: it is looked at again soon. */
  async #proxy(key: Key): Promise<StatusOutcome | undefined> {
    const { world, classes, verdict, addresses, httpProxyType } = this.#options
    const proxy = world.httpProxy.get(key)
    if (proxy === undefined || !isOurProxy(proxy, classes)) {
      this.#waiting.delete(key)
      return 'unchanged'
    }
    const now = rfc3339(new Date())
    const { generation } = proxy.meta
    const condition = this.#conditionOf(proxy, key, now)
    const waitMs = this.#patience(key, generation, condition(proxy.status))
    if (waitMs > 0) {
      this.#queue.addAfter(`httpProxy:${key}`, waitMs)
      return undefined
    }
    const judged = verdict('httpProxy', key)
    const wanted = (current: HTTPProxyStatus | undefined) =>
      proxyStatus(current, judged, generation, addresses(), now, condition(current))
    if (isDeepStrictEqual(wanted(proxy.status), proxy.status)) return 'unchanged'
    const mutate = (raw: RawObject) => ({
      ...raw,
      status: wanted(raw['status'] as HTTPProxyStatus | undefined),
    })
    return this.#write(httpProxyType, key, mutate, { observed: observedOf(httpProxyType, proxy) })
  }

  /** How long Envoys that are there are waited for before it is said that they have yet to say something. */
  #patience(key: Key, generation: number, condition: DetailedCondition | undefined): number {
    if (condition?.status !== 'Unknown') {
      this.#waiting.delete(key)
      return 0
    }
    const now = performance.now()
    const before = this.#waiting.get(key)
    const since = before?.generation === generation ? before.since : now
    this.#waiting.set(key, { generation, since })
    return condition.reason === absentReason ? 0 : since + patienceMs - now
  }

  /** Of a replica that does not lead: the one condition, and nothing else of the status. */
  async #programmed(key: Key): Promise<StatusOutcome> {
    const { world, classes, httpProxyType } = this.#options
    const proxy = world.httpProxy.get(key)
    if (proxy === undefined || !isOurProxy(proxy, classes)) return 'unchanged'
    const now = rfc3339(new Date())
    const wanted = (current: HTTPProxyStatus | undefined): HTTPProxyStatus | undefined => {
      const condition = this.#refused(proxy, key, current, now)
      const before = current?.conditions?.find(({ type }) => type === programmedType)
      if (condition === undefined && before?.status !== 'False') return current
      return { ...current, conditions: withProgrammed(current?.conditions ?? [], condition) }
    }
    const mutate = (raw: RawObject) => {
      const status = wanted(raw['status'] as HTTPProxyStatus | undefined)
      return status === undefined ? undefined : { ...raw, status }
    }
    return this.#write(httpProxyType, key, mutate, { precondition: () => true })
  }

  /** What is to be said of Envoys, by what the status says already. */
  #conditionOf(proxy: HTTPProxy, key: Key, now: string) {
    const state = this.#options.programmed(hostOf(proxy), key)
    return (current: HTTPProxyStatus | undefined): DetailedCondition | undefined =>
      this.#refused(proxy, key, current, now) ??
      (state && acknowledgedCondition(current, state, proxy.meta.generation, now))
  }

  #refused(proxy: HTTPProxy, key: Key, current: HTTPProxyStatus | undefined, now: string) {
    const refused = this.#options.refusals(hostOf(proxy), key, refusalsTold(current))
    return refusedCondition(current, hostOf(proxy), refused, proxy.meta.generation, now)
  }

  async #extension(key: Key): Promise<StatusOutcome> {
    const { world, verdict } = this.#options
    const service = world.extensionService.get(key)
    if (service === undefined) return 'unchanged'
    const judged = verdict('extensionService', key)
    const wanted = (current: ExtensionServiceStatus | undefined) =>
      extensionStatus(current, judged, service.meta.generation, rfc3339(new Date()))
    if (isDeepStrictEqual(wanted(service.status), service.status)) return 'unchanged'
    const mutate = (raw: RawObject) => ({
      ...raw,
      status: wanted(raw['status'] as ExtensionServiceStatus | undefined),
    })
    return this.#write(extensionServiceType, key, mutate, {
      observed: observedOf(extensionServiceType, service),
    })
  }

  async #ingress(key: Key): Promise<StatusOutcome> {
    const { world, classes, addresses } = this.#options
    const ingress: Ingress | undefined = world.ingress.get(key)
    if (ingress === undefined || !isOurIngress(ingress, classes)) return 'unchanged'
    if (sameAddresses(ingress.ingress, addresses())) return 'unchanged'
    return this.#write(ingressType, key, (raw) => ({ ...raw, status: ingressStatus(addresses()) }))
  }

  async #write<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: (raw: RawObject) => RawObject | undefined,
    options: WriteOptions = {},
  ): Promise<StatusOutcome> {
    const precondition = this.#options.isLeader
    const outcome = await this.#writer.write(type, key, mutate, { precondition, ...options })
    return outcome === 'written' ? 'written' : outcome === 'forbidden' ? 'failed' : 'unchanged'
  }
}

function hostOf({ spec }: HTTPProxy): string {
  return spec.virtualhost?.fqdn.toLowerCase() ?? ''
}

/** What a write of the status needs of a custom resource. */
function observedOf<T extends KubeObject & { readonly status?: unknown }>(
  { apiVersion, kind }: ResourceType<T>,
  { meta: { namespace, name, uid, resourceVersion }, status }: T,
): RawObject {
  const metadata = { namespace, name, uid, resourceVersion }
  return { apiVersion, kind, metadata, ...(status === undefined ? {} : { status }) }
}

function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

function ingressStatus(addresses: readonly LoadBalancerIngress[]): object {
  return { loadBalancer: addresses.length === 0 ? {} : { ingress: addresses } }
}
