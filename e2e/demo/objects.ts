/** Small objects that scenarios and drills apply. */
import type { Manifest } from '../lab/index.ts'

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
