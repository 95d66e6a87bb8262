/** What each Envoy of the swap holds: a route of one host, as it is now, and sums of its counters. */
import { hostOf, proxyObject } from '../../ingress/objects.ts'
import type { KubernetesObject, Lab } from '../../lab/index.ts'
import { system } from './swap-site.ts'

interface PodObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly deletionTimestamp?: string }
  readonly status?: { readonly podIP?: string }
}

const changing = 'changing'

/** What the route answers; every Envoy shall show it. @returns how long that took after the API server had it */
export async function changeRoute(lab: Lab, version: string): Promise<number> {
  await lab.apply([{ ...proxyObject(changing, { version, services: [{ name: 'web' }] }) }])
  const changed = performance.now()
  for (const ip of await envoys(lab))
    await lab.waitFor(
      `the Envoy at ${ip} to show the route as it is`,
      async () => {
        const { body } = await lab.controlPlane.curl(`http://${ip}:8080/version`, { host: hostOf(changing) })
        return body === version
      },
      { intervalMs: 20 },
    )
  return performance.now() - changed
}

/** Of all Envoys, the counters of such names. */
export async function sumOf(lab: Lab, names: RegExp): Promise<number> {
  let sum = 0
  for (const ip of await envoys(lab)) {
    const { body } = await lab.controlPlane.curl(`http://${ip}:8002/stats`)
    for (const [, name = '', value] of body.matchAll(/^(\S+): (\d+)$/gm))
      if (names.test(name)) sum += Number(value)
  }
  return sum
}

/** The addresses of those that stay. */
async function envoys(lab: Lab): Promise<readonly string[]> {
  const pods = await lab.list<PodObject>('pods', { namespace: system, selector: 'app=envoy' })
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap(({ status }) => status?.podIP ?? [])
}
