/** Contour and what it serves, on a lab with addresses from Landfall; and the commands of docs/swap.md that replace it. */
import { join } from 'node:path'
import { echo, namespaceObject } from '../../demo/objects.ts'
import { siteObjects } from '../../demo/site.ts'
import { hostOf, names, namespace, proxyObject } from '../../ingress/objects.ts'
import type { KubernetesObject, Lab, Manifest } from '../../lab/index.ts'
import { bundleDirectory } from '../../lab/parts/cache.ts'
import { versions } from '../../lab/parts/catalogue.ts'
import { makeAuthority } from '../../scenarios/certificate.ts'
import { proxy as httpProxyObject, ingress, ingressRule } from '../../scenarios/site.ts'

export const system = 'projectcontour'
export const contourName = `Contour ${versions.contour}`
const manifests = join(import.meta.dirname, '..', '..', '..', 'manifests')
const backend = 'web'
const plainProxies = names('plain', 12)
const plainIngresses = names('ingress', 3)
const secureProxies = names('secure', 4)
const secureIngress = 'secure-ingress'
/**
 * Connections are passed on whole. No load: on those Contour's own shutdown does not wait, so that they break when its pods
 * go, as they do whenever it rolls.
 */
const stream = 'stream'

/** What of a route makes its clusters others, by the name of its host. */
const settings: Readonly<Record<string, object>> = {
  cookie: { loadBalancerPolicy: { strategy: 'Cookie' } },
  least: { loadBalancerPolicy: { strategy: 'WeightedLeastRequest' } },
  health: { healthCheckPolicy: { path: '/health', intervalSeconds: 5 } },
  idle: { timeoutPolicy: { idleConnection: '90s' } },
  named: { requestHeadersPolicy: { set: [{ name: 'Host', value: 'elsewhere.shop.test' }] } },
}

export const plainHosts = [...plainProxies, ...plainIngresses, ...Object.keys(settings)].map(hostOf)
export const secureHosts = [...secureProxies, secureIngress].map(hostOf)

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

/** @returns the IPv4 address of the Service in front of Envoy, at which every host answers */
export async function provideContour(lab: Lab, note: (text: string) => void): Promise<string> {
  note('addresses by Landfall')
  await lab.kubectl(['apply', '-f', join(manifests, 'metallb.yaml')])
  await established(lab)
  await lab.apply(siteObjects(lab))
  note(contourName)
  await lab.kubectl(['apply', '-f', join(bundleDirectory('contour'), 'manifests')])
  await established(lab)
  await lab.apply([namespaceObject(namespace), ...echo(namespace, backend, { replicas: 2 })])
  await lab.apply(await served())
  await rolledOut(lab, 'deployment/contour')
  await rolledOut(lab, 'daemonset/envoy')
  note('every host answers')
  const address = await lab.waitFor(
    'an address of the Service envoy',
    async () => {
      const service = await lab.get<ServiceObject>('service', 'envoy', system)
      return service?.status?.loadBalancer?.ingress?.find(({ ip }) => ip?.includes('.'))?.ip
    },
    { timeoutMs: 60_000 },
  )
  for (const from of [lab.client, lab.client2])
    for (const [scheme, hosts] of [['http', plainHosts] as const, ['https', secureHosts] as const])
      for (const host of hosts) {
        const url = `${scheme}://${host}/health`
        const answers = async () =>
          (await from.curl(url, { resolve: address, insecure: true })).status === 200
        await lab.waitFor(`${url} to answer ${from.name}`, answers, { timeoutMs: 60_000 })
      }
  return address
}

export async function replaceControlPlane(lab: Lab): Promise<void> {
  const image = 'contour=landfall/contour:0.1.0'
  await lab.kubectl(['-n', system, 'set', 'image', 'deployment/contour', image])
  await rolledOut(lab, 'deployment/contour')
}

/** And everything else of ours. Resolves when none of Contour's pods is left. */
export async function replaceEnvoys(lab: Lab): Promise<void> {
  await lab.kubectl(['apply', '-f', join(manifests, 'contour.yaml')])
  await rolledOut(lab, 'deployment/contour')
  await rolledOut(lab, 'daemonset/envoy')
  const left = async () => (await lab.list('pods', { namespace: system, selector: 'app=envoy' })).length
  await lab.waitFor("Contour's pods of Envoy to be gone", async () => (await left()) === lab.nodes.length, {
    timeoutMs: 120_000,
  })
}

async function rolledOut(lab: Lab, workload: string): Promise<void> {
  await lab.kubectl(['-n', system, 'rollout', 'status', workload, '--timeout=180s'])
}

async function established(lab: Lab): Promise<void> {
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
}

async function served(): Promise<readonly Manifest[]> {
  const authority = await makeAuthority()
  const services = [{ name: backend }]
  const to = { services: [{ name: backend, port: 80 }] }
  const proxies = plainProxies.map((name) => proxyObject(name, { services }))
  const secure = secureProxies.map((name) => proxyObject(name, { services, secret: name }))
  const secrets = [...secureProxies, secureIngress, stream].map((name) =>
    authority.issue(namespace, name, hostOf(name)),
  )
  const ingresses = plainIngresses.map((name) =>
    ingress(namespace, name, { rules: [ingressRule(hostOf(name), backend)] }),
  )
  const host = hostOf(secureIngress)
  const tls = [{ hosts: [host], secretName: secureIngress }]
  return [
    ...(await Promise.all(secrets)),
    ...[...proxies, ...secure].map((proxy) => ({ ...proxy })),
    ...Object.entries(settings).map(([name, one]) =>
      httpProxyObject(namespace, name, {
        virtualhost: { fqdn: hostOf(name) },
        routes: [{ ...to, ...one }],
      }),
    ),
    httpProxyObject(namespace, stream, {
      virtualhost: { fqdn: hostOf(stream), tls: { secretName: stream } },
      tcpproxy: to,
    }),
    ...ingresses,
    ingress(namespace, secureIngress, { tls, rules: [ingressRule(host, backend)] }),
  ]
}
