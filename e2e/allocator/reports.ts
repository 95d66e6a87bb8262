/** What the speakers of three nodes would report of Services: in the objects, and by the writes, that they make. */
import * as api from '@landfall/api'
import { type Cluster, customType, type ResourceType } from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import { each, namespace } from './services.ts'

const system = 'metallb-system'
const nodes = ['node-1', 'node-2', 'node-3'] as const
const l2Type = customType<KubeObject>(api.serviceL2Status)
const bgpType = customType<KubeObject>(api.serviceBGPStatus)
const kinds = [
  { type: l2Type, prefix: 'l2' },
  { type: bgpType, prefix: 'bgp' },
] as const
/** Services whose pods come late, and how many of them at a time, so that it is not the making of reports that is late. */
const late = 200
const lateAtOnce = 50
const lateMs = 6000
/** Between the first node that reports by BGP and the last. */
const straggleMs = 5000
/** Of each Service: one by layer 2, and one of each node by BGP. */
export const reportsEach = 1 + nodes.length

/**
 * Each is announced by layer 2 from one node, and by BGP from all, of which one comes later. Of some it is said first
 * that they have no endpoints.
 */
export async function reportServices(cluster: Cluster, names: readonly string[]): Promise<void> {
  for (let from = 0; from < Math.min(late, names.length); from += lateAtOnce)
    await comeLate(cluster, names.slice(from, from + lateAtOnce))
  const [first, second, third] = nodes
  await each(names, async (name) => {
    await report(cluster, l2Type, `l2-${name}-${first}`, name, first)
    for (const node of [first, second]) await report(cluster, bgpType, `bgp-${name}-${node}`, name, node)
  })
  await pause(straggleMs)
  await each(names, (name) => report(cluster, bgpType, `bgp-${name}-${third}`, name, third))
}

async function comeLate(cluster: Cluster, names: readonly string[]): Promise<void> {
  await each(names, async (name) => {
    for (const { type, prefix } of kinds) await report(cluster, type, `${prefix}-${name}`, name, '')
  })
  await pause(lateMs)
  await each(names, async (name) => {
    for (const { type, prefix } of kinds) await cluster.delete(type, `${system}/${prefix}-${name}`)
  })
}

/** As the speakers do once the Services are gone. All in one request would take longer than a request may. */
export async function forgetReports(cluster: Cluster, names: readonly string[]): Promise<void> {
  const [first] = nodes
  await each(names, async (name) => {
    await cluster.delete(l2Type, `${system}/l2-${name}-${first}`)
    for (const node of nodes) await cluster.delete(bgpType, `${system}/bgp-${name}-${node}`)
  })
}

/** @param node '': none announces it */
async function report(
  cluster: Cluster,
  type: ResourceType,
  name: string,
  service: string,
  node: string,
): Promise<void> {
  const { apiVersion, kind } = type
  const labels = { 'metallb.io/service-name': service, 'metallb.io/service-namespace': namespace }
  const ofNode = node === '' ? {} : { 'metallb.io/node': node }
  const metadata = { namespace: system, name, labels: { ...labels, ...ofNode } }
  const made = await cluster.create(type, { apiVersion, kind, metadata, spec: {} })
  const who = { serviceName: service, serviceNamespace: namespace }
  const said = node === '' ? { reason: 'noEndpoints', message: 'no endpoint is ready or serving' } : { node }
  const peers = node !== '' && type === bgpType ? { peers: ['tor-1', 'tor-2'] } : {}
  await cluster.update(type, { ...made, status: { ...who, ...said, ...peers } }, 'status')
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
