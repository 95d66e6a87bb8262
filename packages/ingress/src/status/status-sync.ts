/**
 * Keeps the status of HTTPProxies, Ingresses and ExtensionServices true: verdicts, and the addresses where traffic comes in. One
 * replica writes, the leader; an object whose observed status is right already is not even read.
 */
import { isDeepStrictEqual } from 'node:util'
import {
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
} from '@landfall/kube'
import type { Ingress, Key, KubeObject, LoadBalancerIngress } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { JudgedKind } from '../dag/outcome.ts'
import type { RefusedIn } from '../engine/refusals.ts'
import type { Verdict } from '../engine/verdicts.ts'
import { isOurIngress, isOurProxy } from '../model/ingress-class.ts'
import type { World } from '../model/objects.ts'
import { sameAddresses } from './addresses.ts'
import { extensionStatus } from './extension-status.ts'
import {
  programmedCondition,
  programmedType,
  refusalsTold,
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
  readonly addresses: () => readonly LoadBalancerIngress[]
  readonly isLeader: () => boolean
  /** @param seconds that it took */
  readonly onOutcome: (kind: StatusKind, outcome: StatusOutcome, seconds: number) => void
  /** An object of this kind changed while its status was written. */
  readonly onConflict?: (kind: string) => void
}

export const extensionServiceType = customType<ExtensionService>(extensionService)

export type StatusOutcome = 'written' | 'unchanged' | 'failed'

const concurrency = 8
const programmed = 'programmed'
export const statusKinds = ['httpProxy', 'ingress', 'extensionService'] as const satisfies StatusKind[]

export class StatusSync {
  readonly #options: StatusSyncOptions
  readonly #writer: StatusWriter
  readonly #queue: WorkQueue
  readonly #writers: Readonly<Record<StatusKind, (key: Key) => Promise<StatusOutcome>>> = {
    httpProxy: (key) => this.#proxy(key),
    ingress: (key) => this.#ingress(key),
    extensionService: (key) => this.#extension(key),
  }

  constructor(options: StatusSyncOptions) {
    this.#options = options
    this.#writer = new StatusWriter(options.cluster, options.logger, undefined, options.onConflict)
    const { cluster, logger } = options
    this.#queue = new WorkQueue({
      concurrency,
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
      this.#options.onOutcome(kind, outcome, seconds())
    } catch (error) {
      this.#options.onOutcome(kind, 'failed', seconds())
      throw error
    }
  }

  async #proxy(key: Key): Promise<StatusOutcome> {
    const { world, classes, verdict, addresses, httpProxyType } = this.#options
    const proxy = world.httpProxy.get(key)
    if (proxy === undefined || !isOurProxy(proxy, classes)) return 'unchanged'
    const judged = verdict('httpProxy', key)
    const now = rfc3339(new Date())
    const { generation } = proxy.meta
    const wanted = (current: HTTPProxyStatus | undefined) =>
      proxyStatus(current, judged, generation, addresses(), now, this.#condition(proxy, key, current, now))
    if (isDeepStrictEqual(wanted(proxy.status), proxy.status)) return 'unchanged'
    return this.#write(httpProxyType, key, (raw) => ({
      ...raw,
      status: wanted(raw['status'] as HTTPProxyStatus | undefined),
    }))
  }

  /** Of a replica that does not lead: the one condition, and nothing else of the status. */
  async #programmed(key: Key): Promise<StatusOutcome> {
    const { world, classes, httpProxyType } = this.#options
    const proxy = world.httpProxy.get(key)
    if (proxy === undefined || !isOurProxy(proxy, classes)) return 'unchanged'
    const now = rfc3339(new Date())
    const wanted = (current: HTTPProxyStatus | undefined): HTTPProxyStatus | undefined => {
      const condition = this.#condition(proxy, key, current, now)
      const said = current?.conditions?.some(({ type }) => type === programmedType) === true
      if (condition === undefined && !said) return current
      return { ...current, conditions: withProgrammed(current?.conditions ?? [], condition) }
    }
    const mutate = (raw: RawObject) => {
      const status = wanted(raw['status'] as HTTPProxyStatus | undefined)
      return status === undefined ? undefined : { ...raw, status }
    }
    return this.#write(httpProxyType, key, mutate, () => true)
  }

  #condition(proxy: HTTPProxy, key: Key, current: HTTPProxyStatus | undefined, now: string) {
    const host = proxy.spec.virtualhost?.fqdn.toLowerCase() ?? ''
    const refused = this.#options.refusals(host, key, refusalsTold(current))
    return programmedCondition(current, host, refused, proxy.meta.generation, now)
  }

  async #extension(key: Key): Promise<StatusOutcome> {
    const { world, verdict } = this.#options
    const service = world.extensionService.get(key)
    if (service === undefined) return 'unchanged'
    const judged = verdict('extensionService', key)
    const wanted = (current: ExtensionServiceStatus | undefined) =>
      extensionStatus(current, judged, service.meta.generation, rfc3339(new Date()))
    if (isDeepStrictEqual(wanted(service.status), service.status)) return 'unchanged'
    return this.#write(extensionServiceType, key, (raw) => ({
      ...raw,
      status: wanted(raw['status'] as ExtensionServiceStatus | undefined),
    }))
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
    precondition = this.#options.isLeader,
  ): Promise<StatusOutcome> {
    const outcome = await this.#writer.write(type, key, mutate, { precondition })
    return outcome === 'written' ? 'written' : outcome === 'forbidden' ? 'failed' : 'unchanged'
  }
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

function ingressStatus(addresses: readonly LoadBalancerIngress[]): object {
  return { loadBalancer: addresses.length === 0 ? {} : { ingress: addresses } }
}
