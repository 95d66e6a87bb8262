/**
 * Where a webhook of ours is registered: the validating configuration of MetalLB, and the definition of BGPPeer while
 * it converts by webhook. Pure: the objects as read in, the same objects with our authority in them out.
 */
import type { RawObject, ResourceType } from '@landfall/kube'

export interface Registration {
  readonly type: ResourceType
  readonly name: string
  /** The `clientConfig`s that call us; none: not registered. */
  clients(raw: RawObject): readonly Client[]
  /** The whole object, each `clientConfig` with this authority. */
  trusting(raw: RawObject, caBundle: string): RawObject
}

export interface Client {
  /** Base64 of PEM. */
  readonly caBundle?: string
  readonly [field: string]: unknown
}

type Fields = Readonly<Record<string, unknown>>

export const validation: Registration = {
  type: clusterType('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
  name: 'metallb-webhook-configuration',
  clients: (raw) => hooksOf(raw).map((hook) => object(hook['clientConfig'])),
  trusting: (raw, caBundle) => ({
    ...raw,
    webhooks: hooksOf(raw).map((hook) => ({
      ...hook,
      clientConfig: { ...object(hook['clientConfig']), caBundle },
    })),
  }),
}

export const conversion: Registration = {
  type: clusterType('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
  name: 'bgppeers.metallb.io',
  clients: (raw) => {
    const { strategy, webhook } = conversionOf(raw)
    return strategy === 'Webhook' ? [object(object(webhook)['clientConfig'])] : []
  },
  trusting: (raw, caBundle) => {
    const webhook = object(conversionOf(raw)['webhook'])
    const clientConfig = { ...object(webhook['clientConfig']), caBundle }
    const spec = object(raw['spec'])
    return {
      ...raw,
      spec: { ...spec, conversion: { ...conversionOf(raw), webhook: { ...webhook, clientConfig } } },
    }
  },
}

/** The name that the API server asks the certificate for; releases of MetalLB call their Service differently. */
export function calledName({ service, url }: Client): string | undefined {
  const { name, namespace } = object(service)
  if (typeof name === 'string' && typeof namespace === 'string') return `${name}.${namespace}.svc`
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).hostname : undefined
}

/** Whether a client with this bundle believes the authority; a bundle may hold others besides. */
export function trusts({ caBundle }: Client, ca: string): boolean {
  return Buffer.from(caBundle ?? '', 'base64')
    .toString('utf8')
    .includes(ca.trim())
}

function conversionOf(raw: RawObject): Fields {
  return object(object(raw['spec'])['conversion'])
}

function hooksOf(raw: RawObject): readonly Fields[] {
  const hooks = raw['webhooks']
  return Array.isArray(hooks) ? hooks.map(object) : []
}

function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function clusterType(apiVersion: string, kind: string): ResourceType {
  const project = () => {
    throw new Error('never watched')
  }
  return { apiVersion, kind, plural: `${kind.toLowerCase()}s`, namespaced: false, project }
}
