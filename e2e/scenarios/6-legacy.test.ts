/**
 * The ConfigMap of MetalLB's older releases instead of objects, as the guides print it, on a lab of its own: waiting
 * without it, three dialects of it, a bad edit, and a pool that is exhausted.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, type KubernetesObject, type Lab, type Manifest } from '../lab/index.ts'
import { broken } from './invariants.ts'
import { echo, eventsOf, namespaceObject } from './site.ts'

const root = join(import.meta.dirname, '..', '..')
const system = 'metallb-system'
const namespace = 'guides'

const guide2 = `address-pools:
- name: default
  protocol: layer2
  addresses:
  - 192.168.2.10-192.168.2.49
`
const guide3 = `address-pools:
- name: default
  protocol: layer2
  addresses:
  - 192.168.0.230-192.168.1.250
`
const guide4 = `address-pools:
- name: default
  protocol: arp
  arp-network: 172.30.0.0/23
  cidr:
  - 172.30.1.96/27
`
const guide4Outside = guide4.replace('172.30.1.96/27', '172.30.2.96/27')
const single = guide2.replace('192.168.2.10-192.168.2.49', '147.75.40.46/32')
const onLan = guide2.replace('192.168.2.10-192.168.2.49', '192.168.77.180-192.168.77.181')

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

interface Pod extends KubernetesObject {
  readonly status?: {
    readonly podIP?: string
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[]
  }
}

interface Report extends KubernetesObject {
  readonly status?: { readonly node?: string; readonly serviceName?: string }
}

function configMap(config: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config', namespace: system },
    data: { config },
  }
}

function waiting(name: string): Manifest {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports },
  }
}

/** From the first to the last octet of each net. */
function octets(...parts: readonly (readonly [net: string, first: number, last: number])[]) {
  return new Set(
    parts.flatMap(([net, first, last]) =>
      Array.from({ length: last - first + 1 }, (_, index) => `${net}.${first + index}`),
    ),
  )
}

describe('the ConfigMap of old', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await createLab({ nodes: 2 })
    await lab.apply([namespaceObject(namespace), ...echo(namespace, 'web', { replicas: 2 }), waiting('one')])
    await lab.kubectl(['apply', '-f', join(root, 'manifests', 'metallb.yaml')])
    for (const workload of ['deployment/controller', 'daemonset/speaker'])
      await lab.kubectl(['rollout', 'status', workload, '-n', system, '--timeout=120s'])
  })

  afterAll(() => lab?.down())

  async function addressOf(name: string): Promise<string> {
    const service = await lab.get<ServiceObject>('service', name, namespace)
    return service?.status?.loadBalancer?.ingress?.[0]?.ip ?? ''
  }

  async function addressed(name: string, ip: string): Promise<void> {
    await expect.poll(() => addressOf(name), { timeout: 60_000 }).toBe(ip)
  }

  /** Of these Services, as soon as each has one. */
  async function addressesOf(names: readonly string[]): Promise<ReadonlySet<string>> {
    const addresses = async () => (await Promise.all(names.map(addressOf))).filter((ip) => ip !== '')
    await expect.poll(async () => (await addresses()).length, { timeout: 60_000 }).toBe(names.length)
    return new Set(await addresses())
  }

  /** Of the controller that leads: the others have no such gauge, for they read no configuration. */
  async function gauge(name: string): Promise<number> {
    const pods = await lab.list<Pod>('pods', { namespace: system, selector: 'component=controller' })
    const values = await Promise.all(
      pods.map(async ({ status }) => {
        const { body } = await lab.controlPlane.curl(`http://${status?.podIP}:7472/metrics`)
        const line = body.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`))
        return line === undefined ? [] : [Number(line.split(' ').at(-1))]
      }),
    )
    const [value, ...more] = values.flat()
    if (value === undefined || more.length > 0)
      throw new Error(`${values.flat().length} controllers have ${name}`)
    return value
  }

  async function logs(): Promise<string> {
    return await lab.kubectl(['logs', '-n', system, '-l', 'component=controller', '--tail=-1'])
  }

  async function becomes(name: string, value: number): Promise<void> {
    await expect.poll(() => gauge(name), { timeout: 60_000 }).toBe(value)
  }

  /** There is an Event of the reason on the Service. */
  async function tells(service: string, reason: string): Promise<void> {
    const reasons = async () => (await eventsOf(lab, 'Service', namespace, service)).map((one) => one.reason)
    await expect.poll(reasons, { timeout: 60_000 }).toContain(reason)
  }

  async function release(...services: readonly string[]): Promise<void> {
    await lab.kubectl(['delete', 'service', '-n', namespace, ...services])
  }

  /** Lines of the log with this event. */
  async function said(event: string): Promise<readonly string[]> {
    return (await logs()).split('\n').filter((line) => line.includes(`"event":"${event}"`))
  }

  it('2.4, 3.3: before it nothing is allocated for a minute, the log says why, and nothing ends', async () => {
    await becomes('metallb_k8s_client_config_loaded_bool', 0)
    await expect.poll(logs, { timeout: 60_000 }).toContain('configuration is missing')
    for (const until = Date.now() + 60_000; Date.now() < until; await wait(3000))
      expect(await addressOf('one')).toBe('')
    expect(await gauge('metallb_k8s_client_config_loaded_bool')).toBe(0)
    const containers = (await lab.list<Pod>('pods', { namespace: system })).flatMap(
      ({ status }) => status?.containerStatuses ?? [],
    )
    expect(containers.map(({ ready, restartCount }) => [ready, restartCount])).toEqual(
      Array.from({ length: 1 + lab.nodes.length }, () => [true, 0]),
    )
  })

  it('2.5, 2.6: with it the Service that waited gets the first address, and an Event', async () => {
    await lab.apply([configMap(guide2)])
    await addressed('one', '192.168.2.10')
    await becomes('metallb_k8s_client_config_loaded_bool', 1)
    await becomes('metallb_allocator_addresses_total', 40)
    await tells('one', 'IPAllocated')
    expect(await addressOf('one')).toBe('192.168.2.10')
  })

  /** Of the node that says it answers for the Service. */
  async function ownersMac(service: string): Promise<string | undefined> {
    const reports = await lab.list<Report>('servicel2statuses', { namespace: system })
    const [owner, ...more] = reports.filter(({ status }) => status?.serviceName === service && status.node)
    return more.length > 0 || owner === undefined ? undefined : await lab.node(owner.status?.node ?? '').mac()
  }

  it('2.9: its owner answers for it, to every request, and nobody for what is nobody’s', async () => {
    const macs = async () =>
      (await lab.client.arping('192.168.2.10', { count: 5 })).map((mac) => mac.toLowerCase())
    await expect.poll(async () => (await macs()).length, { timeout: 60_000 }).toBe(5)
    await expect.poll(() => ownersMac('one'), { timeout: 60_000 }).toBeDefined()
    const owner = await ownersMac('one')
    expect(await macs()).toEqual(Array.from({ length: 5 }, () => owner))
    expect(await lab.client.arping('192.168.2.11', { count: 2 })).toEqual([])
  })

  it('1.17: a bad edit, or one that drops an address in use, leaves the last good one in force', async () => {
    const bad: readonly (readonly [config: string, reason: RegExp])[] = [
      [guide2.replace('layer2', 'carrier-pigeon'), /carrier-pigeon/],
      [`${guide2}  colour: blue\n`, /colour/],
      [`${guide2}- name: twin\n  protocol: layer2\n  addresses: [192.168.2.0/24]\n`, /OverlappingPool/],
      ['address-pools: [', /InvalidYAML/],
      [guide3, /192\.168\.2\.10/],
    ]
    for (const [config, reason] of bad) {
      const before = (await said('configStale')).length
      await lab.apply([configMap(config)])
      await becomes('metallb_k8s_client_config_stale_bool', 1)
      const reasons = async () => (await said('configStale')).slice(before).join('\n')
      await expect.poll(reasons, { timeout: 60_000 }).toMatch(reason)
      expect(await gauge('metallb_allocator_addresses_total')).toBe(40)
      expect(await addressOf('one')).toBe('192.168.2.10')
      await lab.apply([configMap(guide2)])
      await becomes('metallb_k8s_client_config_stale_bool', 0)
    }
    expect(new Set(await lab.client.arping('192.168.2.10', { count: 3 })).size).toBe(1)
    await release('one')
  })

  it('3.4, 3.5, 3.6: a range over the end of a /24, from its first address on', async () => {
    await lab.apply([configMap(guide3)])
    await becomes('metallb_allocator_addresses_total', 277)
    const names = Array.from({ length: 30 }, (_, index) => `pi-${String(index).padStart(2, '0')}`)
    const [first = '', ...rest] = names
    await lab.apply([waiting(first)])
    await addressed(first, '192.168.0.230')
    await lab.apply(rest.map(waiting))
    expect(await addressesOf(names)).toEqual(octets(['192.168.0', 230, 255], ['192.168.1', 0, 3]))
    await release(...names)
    await lab.apply([configMap(`${guide3}  avoid-buggy-ips: true\n`)])
    await becomes('metallb_allocator_addresses_total', 275)
    await lab.apply(names.map(waiting))
    expect(await addressesOf(names)).toEqual(octets(['192.168.0', 230, 254], ['192.168.1', 1, 5]))
    await release(...names)
  })

  it('4.4, 4.5: the dialect of v0.4 loads with a word of warning, unless the CIDR is outside its network', async () => {
    await lab.apply([configMap(guide4Outside)])
    await becomes('metallb_k8s_client_config_stale_bool', 1)
    await expect
      .poll(logs, { timeout: 60_000 })
      .toMatch(/172\.30\.2\.96\/27.*172\.30\.0\.0\/23|172\.30\.0\.0\/23.*172\.30\.2\.96\/27/)
    const before = (await said('configDeprecated')).length
    await lab.apply([configMap(guide4)])
    await becomes('metallb_allocator_addresses_total', 32)
    await expect.poll(async () => (await said('configDeprecated')).length).toBe(before + 1)
    await lab.apply([waiting('nginx')])
    await addressed('nginx', '172.30.1.96')
    await release('nginx')
  })

  it('1.7: one address for two: the second waits with an Event until the first is gone', async () => {
    await lab.apply([configMap(single)])
    await becomes('metallb_allocator_addresses_total', 1)
    await lab.apply([waiting('first')])
    await addressed('first', '147.75.40.46')
    await lab.apply([waiting('second')])
    await tells('second', 'AllocationFailed')
    await becomes('metallb_allocator_addresses_in_use_total', 1)
    expect(await addressOf('second')).toBe('')
    await release('first')
    await addressed('second', '147.75.40.46')
    await release('second')
  })

  it('traffic goes to such an address', async () => {
    await lab.apply([configMap(onLan), waiting('served')])
    await addressed('served', '192.168.77.180')
    const status = async () => {
      const answer = await lab.client.curl('http://192.168.77.180/').catch(() => undefined)
      return answer?.status
    }
    await expect.poll(status, { timeout: 60_000 }).toBe(200)
  })

  it('after all of which what always holds does', async () => {
    expect(await broken(lab)).toEqual([])
  })
})
