/** Live copies of what the speakers report of Services, by Service; says whose reports changed. */
import { type Change, type Cluster, hasStatus, pathOf, Reflector, type ResourceType } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import { allNamedAt, type Reported, type Said } from './announced.ts'
import { type Announcing, bgpType, layer2Type } from './report.ts'
import { SaidOfServices } from './said-of-services.ts'
import { Settling } from './settle.ts'

export interface AnnouncingReportsOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly logger: Logger
  readonly onChange: (services: ReadonlySet<Key>) => void
}

export class AnnouncingReports {
  readonly #options: AnnouncingReportsOptions
  readonly #saidOfLayer2 = new SaidOfServices()
  readonly #saidOfBGP = new SaidOfServices()
  readonly #layer2: Reflector<Announcing>
  readonly #bgp: Reflector<Announcing>
  readonly #settling = new Settling()
  readonly #looks = new Set<NodeJS.Timeout>()
  #complete = false
  #synced = false

  constructor(options: AnnouncingReportsOptions) {
    this.#options = options
    this.#layer2 = this.#reflector(layer2Type, this.#saidOfLayer2)
    this.#bgp = this.#reflector(bgpType, this.#saidOfBGP)
  }

  /** Resolves after the first sync. Roles of MetalLB let the controller read what is said of BGP alone. */
  async start(): Promise<void> {
    const readable = await Promise.all(
      [layer2Type, bgpType].map((typeOf) => this.#mayRead(typeOf((said) => said))),
    )
    this.#complete = readable.every(Boolean)
    // One after the other: both at once take more memory.
    for (const reflector of [this.#layer2, this.#bgp]) {
      reflector.start()
      await reflector.synced
    }
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

  /** @returns milliseconds until this is to be written in place of that, if it stays so */
  settleMs(service: Key, was: Said | undefined, is: Said | undefined): number {
    return this.#settling.wait(service, [was, is, this.#bgp.items.size > 0])
  }

  /** It is written, or there is nothing to write. */
  settled(service: Key): void {
    this.#settling.forget(service)
  }

  of(service: Key): Reported {
    return { layer2: this.#saidOfLayer2.of(service), bgp: this.#saidOfBGP.of(service) }
  }

  stop(): void {
    for (const look of this.#looks) clearTimeout(look)
    this.#layer2.stop()
    this.#bgp.stop()
  }

  #reflector(typeOf: typeof layer2Type, said: SaidOfServices): Reflector<Announcing> {
    const { cluster, namespace, logger } = this.#options
    const onChange = (changes: readonly Change<Announcing>[]) => {
      const services = new Set<Key>()
      for (const { before, after } of changes) {
        if (before !== undefined && before.service !== '') {
          said.remove(before)
          services.add(before.service)
        }
        if (after === undefined || after.service === '') continue
        said.add(after)
        services.add(after.service)
      }
      this.#saw(services)
    }
    const type = typeOf((one) => said.once(one))
    return new Reflector({ cluster, type, namespace, logger, optional: true, onChange })
  }

  #saw(services: ReadonlySet<Key>): void {
    this.#options.onChange(services)
    this.#lookAgain(services)
  }

  /** Of two nodes that both say they announce by layer 2, the older counts once that lasts. */
  #lookAgain(services: ReadonlySet<Key>): void {
    const now = Date.now()
    for (const [at = 0, all] of Map.groupBy(services, (service) => allNamedAt(this.of(service)))) {
      if (at <= now) continue
      const look = setTimeout(() => {
        this.#looks.delete(look)
        this.#saw(new Set(all))
      }, at - now)
      this.#looks.add(look)
    }
  }

  #mayRead(type: ResourceType): Promise<boolean> {
    const { cluster, namespace } = this.#options
    return cluster
      .request({ method: 'GET', path: pathOf(type, { namespace }), query: { limit: 1 } })
      .then(() => true)
      .catch((error: unknown) => !hasStatus(error, 403, 404))
  }
}
