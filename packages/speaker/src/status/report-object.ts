/**
 * ServiceL2Status and ServiceBGPStatus as this speaker writes and reads them. The object of a node says that it
 * announces a Service; one without a node, of which there is at most one a Service, says why no node does.
 */
import { createHash } from 'node:crypto'
import * as api from '@landfall/api'
import { customType, projectMeta, type RawObject, type ResourceType } from '@landfall/kube'
import { type Key, type KubeObject, splitKey } from '@landfall/kube/model'
import type { OwnerReference } from './owner-reference.ts'

const longestLabel = 63

export interface ServiceReport extends KubeObject {
  /** undefined: it says of no Service. */
  readonly service: Key | undefined
  /** '': none. */
  readonly node: string
  /** Layer 2: interfaces that were asked for by name, [] for all. BGP: peers. */
  readonly names: readonly string[]
  /** '' when it is announced. */
  readonly reason: string
  /** The same for people, or what of it is not announced; '' when all is. */
  readonly message: string
}

/** What differs between the two. */
export interface ReportKind {
  readonly type: ResourceType<ServiceReport>
  /** Of the names of the objects. */
  readonly prefix: 'l2' | 'bgp'
  /** One node at a time: whoever announces deletes what others left. */
  readonly exclusive: boolean
}

export type ReportText = Pick<ServiceReport, 'names' | 'reason' | 'message'>

export const layer2Reports: ReportKind = {
  type: typeOf(api.serviceL2Status, 'interfaces'),
  prefix: 'l2',
  exclusive: true,
}

export const bgpReports: ReportKind = {
  type: typeOf(api.serviceBGPStatus, 'peers'),
  prefix: 'bgp',
  exclusive: false,
}

function typeOf(
  identity: typeof api.serviceL2Status,
  list: 'interfaces' | 'peers',
): ResourceType<ServiceReport> {
  return {
    ...customType<ServiceReport>(identity),
    project: (raw) => {
      const meta = projectMeta(raw)
      const status = fields(raw['status'])
      const entries = Array.isArray(status[list]) ? status[list] : []
      return {
        // What is read of them stands beside it.
        meta: { ...meta, labels: {}, annotations: {} },
        service: serviceOf(meta.labels, status),
        node: text(status['node']) || (meta.labels['metallb.io/node'] ?? ''),
        names: entries.map((entry) => text(list === 'peers' ? entry : fields(entry)['name'])),
        reason: text(status['reason']),
        message: text(status['message']),
      }
    },
  }
}

/** By its labels, which it has from the start; the status comes a moment later. */
function serviceOf(
  labels: Readonly<Record<string, string>>,
  status: Readonly<Record<string, unknown>>,
): Key | undefined {
  const name = labels['metallb.io/service-name'] ?? text(status['serviceName'])
  const namespace = labels['metallb.io/service-namespace'] ?? text(status['serviceNamespace'])
  return name === '' || namespace === '' ? undefined : `${namespace}/${name}`
}

/** The same after a restart; another for each node, since the API lets the node in a status not change. */
export function reportName({ prefix }: ReportKind, node: string, service: Key): string {
  const digest = createHash('sha256').update(`${node}#${service}`).digest('hex')
  return `${prefix}-${digest.slice(0, 10)}`
}

export function reportObject(
  kind: ReportKind,
  at: { readonly namespace: string; readonly node: string; readonly service: Key },
  owner: OwnerReference | undefined,
): RawObject {
  const { namespace, node, service } = at
  const { namespace: serviceNamespace, name: serviceName } = splitKey(service)
  return {
    apiVersion: kind.type.apiVersion,
    kind: kind.type.kind,
    metadata: {
      name: reportName(kind, node, service),
      namespace,
      labels: {
        ...nodeLabel('metallb.io/node', node),
        'metallb.io/service-name': serviceName,
        'metallb.io/service-namespace': serviceNamespace,
      },
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec: {},
  }
}

export function reportStatus(kind: ReportKind, node: string, service: Key, text: ReportText): object {
  const { namespace: serviceNamespace, name: serviceName } = splitKey(service)
  const { names, reason, message } = text
  const list = kind.prefix === 'bgp' ? { peers: names } : { interfaces: names.map((name) => ({ name })) }
  return {
    ...(node === '' ? {} : { node }),
    serviceName,
    serviceNamespace,
    ...(names.length === 0 ? {} : list),
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
  }
}

/** A value of a label is short. */
export function nodeLabel(label: string, node: string): Readonly<Record<string, string>> {
  return node === '' || node.length > longestLabel ? {} : { [label]: node }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
