/**
 * Watches for configuration of FRR that a MetalLB was given and nothing here reads: the ConfigMap `bgpextras`, and
 * FRRConfiguration objects but those that MetalLB's own speakers wrote. Nothing waits for it.
 */
import { type Cluster, configMapType, projectMeta, Reflector, type ResourceType } from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import { unreadFrr } from '@landfall/metallb/state'
import type { Logger } from '@landfall/telemetry'

const extrasName = 'bgpextras'
const extrasKey = 'extras'

/** What they say is none of our business. */
const frrConfigurationType: ResourceType = {
  apiVersion: 'frrk8s.metallb.io/v1beta1',
  kind: 'FRRConfiguration',
  plural: 'frrconfigurations',
  namespaced: true,
  project: (raw) => ({ meta: { ...projectMeta(raw), annotations: {}, labels: {} } }),
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
  #said: readonly string[] = []

  constructor(options: UnreadConfigurationOptions) {
    this.#options = options
    const { namespace } = options
    const fieldSelector = `metadata.name=${extrasName}`
    this.#extras = this.#reflector(configMapType, { namespace, fieldSelector })
    this.#configurations = this.#reflector(frrConfigurationType, {})
  }

  start(): void {
    this.#extras.start()
    this.#configurations.start()
  }

  stop(): void {
    this.#extras.stop()
    this.#configurations.stop()
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
    const configurations = foreign.map(({ meta }) => `${meta.namespace}/${meta.name}`)
    const said = unreadFrr({ extras, configurations })
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
