/** Live copies of what the speakers report of Services, by Service; says whose reports changed. */
import { type Change, type Cluster, hasStatus, pathOf, Reflector, type ResourceType } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { Reported } from './announced.ts'
import { type Announcing, bgpType, layer2Type } from './report.ts'

export interface AnnouncingReportsOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly logger: Logger
  readonly onChange: (services: ReadonlySet<Key>) => void
}

type ByService = Map<Key, readonly Announcing[]>

const none: readonly Announcing[] = []

export class AnnouncingReports {
  readonly #options: AnnouncingReportsOptions
  readonly #layer2: ByService = new Map()
  readonly #bgp: ByService = new Map()
  readonly #reflectors: readonly Reflector<Announcing>[]
  #complete = false
  #synced = false

  constructor(options: AnnouncingReportsOptions) {
    this.#options = options
    this.#reflectors = [this.#reflector(layer2Type, this.#layer2), this.#reflector(bgpType, this.#bgp)]
  }

  /** Resolves after the first sync. Roles of MetalLB let the controller read what is said of BGP alone. */
  async start(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.start()
    const readable = await Promise.all([this.#mayRead(layer2Type), this.#mayRead(bgpType)])
    this.#complete = readable.every(Boolean)
    await Promise.all(this.#reflectors.map((reflector) => reflector.synced))
    this.#synced = true
  }

  /** Until then nothing is known of what the speakers say. */
  get synced(): boolean {
    return this.#synced
  }

  /** All that the speakers say can be read here. */
  get complete(): boolean {
    return this.#complete
  }

  /** Somebody announces by BGP. */
  get hasBGP(): boolean {
    return this.#bgp.size > 0
  }

  of(service: Key): Reported {
    return { layer2: this.#layer2.get(service) ?? none, bgp: this.#bgp.get(service) ?? none }
  }

  stop(): void {
    for (const reflector of this.#reflectors) reflector.stop()
  }

  #reflector(type: ResourceType<Announcing>, index: ByService): Reflector<Announcing> {
    const { cluster, namespace, logger } = this.#options
    const onChange = (changes: readonly Change<Announcing>[]) => {
      const services = new Set<Key>()
      for (const { before, after } of changes) {
        if (before !== undefined && before.service !== '') {
          const left = (index.get(before.service) ?? none).filter((one) => one !== before)
          if (left.length > 0) index.set(before.service, left)
          else index.delete(before.service)
          services.add(before.service)
        }
        if (after === undefined || after.service === '') continue
        index.set(after.service, [...(index.get(after.service) ?? none), after])
        services.add(after.service)
      }
      this.#options.onChange(services)
    }
    return new Reflector({ cluster, type, namespace, logger, optional: true, onChange })
  }

  #mayRead(type: ResourceType): Promise<boolean> {
    const { cluster, namespace } = this.#options
    return cluster
      .request({ method: 'GET', path: pathOf(type, { namespace }), query: { limit: 1 } })
      .then(() => true)
      .catch((error: unknown) => !hasStatus(error, 403, 404))
  }
}
