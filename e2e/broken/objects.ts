/** What the breaks of a cluster are made of: the shop and its host, and Envoy's Service and pods. */

import { echo } from '../demo/objects.ts'
import { siteObjects } from '../demo/site.ts'
import type { KubernetesObject, Lab, Manifest } from '../lab/index.ts'

export const namespace = 'web'
export const fqdn = 'shop.example.com'

interface Envoys extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly name: string; readonly args: readonly string[] }[]
      }
    }
  }
}

interface WithAddress extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

export function host({
  route = {},
  more = {},
  tls,
}: {
  readonly route?: object
  readonly more?: object
  readonly tls?: object
}): Manifest {
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name: 'shop', namespace },
    spec: {
      virtualhost: { fqdn, ...(tls && { tls }) },
      routes: [{ services: [{ name: 'shop', port: 80 }], ...route }],
      ...more,
    },
  }
}

export const shop: readonly Manifest[] = [...echo(namespace, 'shop', { replicas: 2 }), host({})]

/** Of the site's objects those of a kind. */
export function sitePart(lab: Lab, kind: string): readonly Manifest[] {
  return siteObjects(lab).filter((one) => one['kind'] === kind)
}

/** Takes Envoy's Service away, and brings it back as it was made, without an address, after `between`. */
export async function remake(lab: Lab, between: () => Promise<void>): Promise<void> {
  const service = await lab.get('service', 'envoy', 'projectcontour')
  const made = service?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']
  if (made === undefined) throw new Error('the Service of Envoy was not made by kubectl apply')
  await lab.kubectl(['delete', 'service', 'envoy', '-n', 'projectcontour'])
  try {
    await between()
  } finally {
    await lab.apply(made)
  }
}

/** All Envoys anew, with these arguments. */
export async function restartEnvoys(
  lab: Lab,
  argumentsOf: (all: readonly string[]) => readonly string[],
): Promise<void> {
  const set = await lab.get<Envoys>('daemonset', 'envoy', 'projectcontour')
  const containers = set?.spec.template.spec.containers ?? []
  const at = containers.findIndex(({ name }) => name === 'envoy')
  const path = `/spec/template/spec/containers/${at}/args`
  const patch = [{ op: 'replace', path, value: argumentsOf(containers[at]?.args ?? []) }]
  const inside = ['-n', 'projectcontour']
  await lab.kubectl(['patch', 'daemonset', 'envoy', ...inside, '--type=json', '-p', JSON.stringify(patch)])
  await lab.kubectl(['delete', 'pods', '-l', 'app=envoy', ...inside, '--grace-period=1', '--wait=false'])
}

/** Has Envoy's address stand in the status of another Service, as another program would write it. */
export async function writeEnvoysAddress(lab: Lab, name: string, writer: string): Promise<void> {
  const envoy = await lab.get<WithAddress>('service', 'envoy', 'projectcontour')
  const patch = JSON.stringify({ status: { loadBalancer: envoy?.status?.loadBalancer } })
  const as = ['--subresource=status', `--field-manager=${writer}`, '--type=merge']
  await lab.kubectl(['patch', 'service', name, '-n', namespace, ...as, '-p', patch])
}
