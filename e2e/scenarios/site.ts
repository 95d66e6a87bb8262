/** What scenarios share: the lab, the addresses of Envoy, and small objects to apply. */
import { afterAll, expect, inject } from 'vitest'
import { type Addresses, externalAddresses } from '../demo/installation.ts'
import { type KubernetesObject, type Lab, type LabRouter, type Manifest, openLab } from '../lab/index.ts'
import { brokenByItself } from './invariants.ts'

export { echo, namespaceObject } from '../demo/objects.ts'

/** The lab of all scenarios; what always holds is looked at when those of a file are done. */
export function scenarioLab(): Lab {
  const lab = openLab(inject('labId'))
  afterAll(async () => expect(await brokenByItself(lab)).toEqual([]))
  return lab
}

export function envoyAddresses(lab: Lab): Promise<Addresses> {
  return externalAddresses(lab, 'envoy', 'projectcontour')
}

export function urlOf(address: string, scheme: 'http' | 'https' = 'http'): string {
  return address.includes(':') ? `${scheme}://[${address}]/` : `${scheme}://${address}/`
}

export function ingress(namespace: string, name: string, spec: object): Manifest {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace }, spec }
}

export function ingressRule(host: string, service: string): object {
  const backend = { service: { name: service, port: { number: 80 } } }
  return { host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }
}

export function proxy(namespace: string, name: string, spec: object): Manifest {
  return { apiVersion: 'projectcontour.io/v1', kind: 'HTTPProxy', metadata: { name, namespace }, spec }
}

export interface ProxyObject extends KubernetesObject {
  readonly status?: {
    readonly currentStatus?: string
    readonly description?: string
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] }
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly errors?: readonly {
        readonly type: string
        readonly reason: string
        readonly message: string
      }[]
    }[]
  }
}

export function proxyErrors(proxy: ProxyObject) {
  return proxy.status?.conditions?.find(({ type }) => type === 'Valid')?.errors ?? []
}

export interface EventObject extends KubernetesObject {
  readonly involvedObject: { readonly kind: string; readonly namespace?: string; readonly name: string }
  readonly reason: string
  readonly message: string
}

export async function eventsOf(
  lab: Lab,
  kind: string,
  namespace: string,
  name: string,
): Promise<readonly EventObject[]> {
  const events = await lab.list<EventObject>('events', { namespace })
  return events.filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name)
}

/** Addresses of the nodes that the router sends to, sorted. */
export async function nextHops(router: LabRouter | undefined, prefix: string): Promise<readonly string[]> {
  return ((await router?.nextHops(prefix)) ?? []).map(({ ip }) => ip).toSorted()
}
