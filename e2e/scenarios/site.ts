/** What scenarios share: the lab, the addresses of Envoy, and small objects to apply. */
import { inject } from 'vitest'
import { type Addresses, externalAddresses } from '../demo/installation.ts'
import { type KubernetesObject, type Lab, type Manifest, openLab } from '../lab/index.ts'

export function scenarioLab(): Lab {
  return openLab(inject('labId'))
}

export function envoyAddresses(lab: Lab): Promise<Addresses> {
  return externalAddresses(lab, 'envoy', 'projectcontour')
}

export function urlOf(address: string, scheme: 'http' | 'https' = 'http'): string {
  return address.includes(':') ? `${scheme}://[${address}]/` : `${scheme}://${address}/`
}

export function namespaceObject(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

/** Pods that answer with their name, and a Service in front of them. */
export function echo(
  namespace: string,
  name: string,
  o: { readonly replicas?: number; readonly service?: object } = {},
): readonly Manifest[] {
  const labels = { app: name }
  const container = {
    name: 'whoami',
    image: 'traefik/whoami:v1.11.0',
    args: ['--port=8080', `--name=${name}`],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/health', port: 8080 }, periodSeconds: 1 },
  }
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        replicas: o.replicas ?? 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 1, containers: [container] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }], ...o.service },
    },
  ]
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
