/**
 * The kinds that translation reads, observed: one reflector a kind and namespace. In: an API server. Out: changes,
 * and word when all kinds have been seen once.
 */
import {
  type HTTPProxy,
  httpProxy,
  type TLSCertificateDelegation,
  tlsCertificateDelegation,
} from '@landfall/api'
import {
  type Cluster,
  customType,
  endpointSource,
  ingressType,
  type Change as ObjectChange,
  Reflector,
  type ResourceType,
  serviceType,
} from '@landfall/kube'
import type { EndpointSlice, KubeObject } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { Change, Kind, ObjectsByKind, SliceChange } from '../model/objects.ts'
import type { RefusedOfIngress } from '../status/refusal-events.ts'
import { extensionServiceType } from '../status/status-sync.ts'
import { tlsSecretType } from './tls-secret.ts'
import { toldRefusals } from './told-refusals.ts'

export interface ObserverOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  /** Empty: all. */
  readonly namespaces: readonly string[]
  /** The Service in front of Envoy, seen also when its namespace is none of those. */
  readonly entry: { readonly namespace: string; readonly name: string }
  /** Kinds that are not looked at; `extensionservices` is one. */
  readonly disabledFeatures: readonly string[]
  readonly onChanges: (changes: readonly Change[]) => void
  readonly onSlices: (changes: readonly SliceChange[]) => void
}

export const httpProxyType = customType<HTTPProxy>(httpProxy)
const delegationType = customType<TLSCertificateDelegation>(tlsCertificateDelegation)

/** Never a certificate: releases of helm, and tokens. */
const secretsOfInterest = 'type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token'

export class Observer {
  readonly #reflectors: Pick<Reflector<KubeObject>, 'start' | 'stop' | 'synced'>[] = []
  readonly #stopped = new AbortController()
  #slices: readonly Reflector<EndpointSlice>[] = []
  #told: readonly RefusedOfIngress[] = []
  readonly #options: ObserverOptions

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#observe('ingress', ingressType)
    this.#observe('httpProxy', httpProxyType, { optional: true })
    this.#observe('delegation', delegationType, { optional: true })
    if (!options.disabledFeatures.includes('extensionservices'))
      this.#observe('extensionService', extensionServiceType, { optional: true })
    this.#observe('service', serviceType)
    this.#observe('secret', tlsSecretType, { fieldSelector: secretsOfInterest })
    const { namespaces, entry } = options
    if (namespaces.length > 0 && !namespaces.includes(entry.namespace)) {
      const selection = { namespace: entry.namespace, fieldSelector: `metadata.name=${entry.name}` }
      this.#reflect(serviceType, selection, (changes) => this.#deliver('service', changes))
    }
  }

  /** All EndpointSlices there are, or Endpoints in their place, each as one that came. */
  *slices(): Iterable<SliceChange> {
    for (const { items } of this.#slices)
      for (const [key, after] of items) yield { key, before: undefined, after }
  }

  /** What Envoys refused of Ingresses before, the newest last. */
  get told(): readonly RefusedOfIngress[] {
    return this.#told
  }

  /** Resolves when every kind has been seen once. */
  async start(): Promise<void> {
    const { cluster, logger, namespaces, onSlices } = this.#options
    const [namespace] = namespaces
    const place = namespace === undefined ? {} : { namespace }
    const source = await endpointSource(cluster, logger, this.#stopped.signal, place)
    if (source === undefined) return
    this.#slices = this.#add(source, {}, onSlices)
    for (const reflector of this.#reflectors) reflector.start()
    const told = toldRefusals(cluster, logger, namespaces, this.#stopped.signal)
    await Promise.all(this.#reflectors.map(({ synced }) => synced))
    this.#told = await told
  }

  stop(): void {
    this.#stopped.abort()
    for (const reflector of this.#reflectors) reflector.stop()
  }

  #observe<K extends Kind>(kind: K, type: ResourceType<ObjectsByKind[K]>, more: Selection = {}): void {
    this.#add(type, more, (changes) => this.#deliver(kind, changes))
  }

  #deliver<K extends Kind>(kind: K, changes: readonly ObjectChange<ObjectsByKind[K]>[]): void {
    this.#options.onChanges(changes.map((change) => ({ kind, ...change }) as Change))
  }

  #add<T extends KubeObject>(type: ResourceType<T>, more: Selection, onChange: OnChange<T>): Reflector<T>[] {
    const { namespaces } = this.#options
    const places = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }))
    return places.map((at) => this.#reflect(type, { ...at, ...more }, onChange))
  }

  #reflect<T extends KubeObject>(
    type: ResourceType<T>,
    selection: Selection,
    onChange: OnChange<T>,
  ): Reflector<T> {
    const { cluster, logger } = this.#options
    const reflector = new Reflector({ cluster, type, logger, onChange, ...selection })
    this.#reflectors.push(reflector)
    return reflector
  }
}

type OnChange<T> = (changes: readonly ObjectChange<T>[]) => void

interface Selection {
  readonly namespace?: string
  readonly optional?: boolean
  readonly fieldSelector?: string
}
