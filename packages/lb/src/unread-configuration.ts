/**
 * Watches for configuration that a MetalLB was given and nothing here reads: the ConfigMap `bgpextras`,
 * FRRConfiguration objects but those that MetalLB's own speakers wrote, and AddressPools. Nothing waits for it.
 */
import { type Cluster, configMapType, projectMeta, Reflector, type ResourceType } from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import { unreadTexts } from '@landfall/metallb/state'
import type { Logger } from '@landfall/telemetry'

const extrasName = 'bgpextras'
const extrasKey = 'extras'

/** What they say is none of our business. */
const project: ResourceType['project'] = (raw) => ({
  meta: { ...projectMeta(raw), annotations: {}, labels: {} },
})
const frrConfigurationType: ResourceType = {
  apiVersion: 'frrk8s.metallb.io/v1beta1',
  kind: 'FRRConfiguration',
  plural: 'frrconfigurations',
  namespaced: true,
  project,
}
const addressPoolType: ResourceType = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'AddressPool',
  plural: 'addresspools',
  namespaced: true,
  project,
}

export interface UnreadConfigurationOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly logger: Logger
  readonly onChange: () => void
}

export class UnreadConfiguration {
  readonly #options: UnreadConfigurationOptions
  readonly #extras
  readonly #configurations
  readonly #addressPools
  #said: readonly string[] = []

  constructor(options: UnreadConfigurationOptions) {
    this.#options = options
    const { namespace } = options
    const fieldSelector = `metadata.name=${extrasName}`
    this.#extras = this.#reflector(configMapType, { namespace, fieldSelector })
    this.#configurations = this.#reflector(frrConfigurationType, {})
    this.#addressPools = this.#reflector(addressPoolType, { namespace })
  }

  start(): void {
    this.#extras.start()
    this.#configurations.start()
    this.#addressPools.start()
  }

  stop(): void {
    this.#extras.stop()
    this.#configurations.stop()
    this.#addressPools.stop()
  }

  /** One text for each thing that is there. */
  get said(): readonly string[] {
    return this.#said
  }

  #reflector<T extends KubeObject>(
    type: ResourceType<T>,
    where: { readonly namespace?: string; readonly fieldSelector?: string },
  ): Reflector<T> {
    const { cluster, logger } = this.#options
    return new Reflector({ cluster, logger, type, ...where, optional: true, onChange: () => this.#look() })
  }

  #look(): void {
    const { namespace, logger, onChange } = this.#options
    const text = this.#extras.get(`${namespace}/${extrasName}`)?.data[extrasKey]
    const extras = text === undefined ? undefined : { object: `ConfigMap ${namespace}/${extrasName}`, text }
    const foreign = [...this.#configurations.items.values()].filter(({ meta }) => !isOfMetallb(meta.name))
    const configurations = foreign.map(nameOf)
    const addressPools = [...this.#addressPools.items.values()].map(nameOf)
    const said = unreadTexts({ extras, configurations, addressPools })
    if (said.join('\n') === this.#said.join('\n')) return
    for (const one of said) if (!this.#said.includes(one)) logger.warn('configNotRead', {}, one)
    this.#said = said
    onChange()
  }
}

/** Its speakers write one a node, which they left behind. */
function isOfMetallb(name: string): boolean {
  return name.startsWith('metallb-')
}

function nameOf({ meta }: KubeObject): string {
  return `${meta.namespace}/${meta.name}`
}
