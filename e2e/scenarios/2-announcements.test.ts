/** Who announces an address, and how: one node on the LAN, every able node to the routers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Addresses, externalAddresses } from '../demo/installation.ts'
import type { KubernetesObject, LabNode } from '../lab/index.ts'
import { Asking, lostOf } from './asking.ts'
import { echo, namespaceObject, nextHops, scenarioLab, urlOf } from './site.ts'

const lab = scenarioLab()
const namespace = 'announced'
const speakers = { namespace: 'metallb-system', selector: 'component=speaker' }
const patient = { timeout: 60_000, interval: 500 }

describe('announcements', () => {
  let spread: Addresses
  let local: Addresses

  beforeAll(async () => {
    const service = { type: 'LoadBalancer', ipFamilyPolicy: 'RequireDualStack' }
    await lab.apply([
      namespaceObject(namespace),
      ...echo(namespace, 'spread', { replicas: 1, service }),
      ...echo(namespace, 'local', { replicas: 1, service: { ...service, externalTrafficPolicy: 'Local' } }),
    ])
    spread = await externalAddresses(lab, 'spread', namespace)
    local = await externalAddresses(lab, 'local', namespace)
  })

  afterAll(() => lab.kubectl(['delete', 'namespace', namespace, '--ignore-not-found']))

  it('answers ARP and NDP from one MAC address, and the address is on no interface', async () => {
    for (const address of [spread.ipv4, spread.ipv6]) {
      await lab.waitFor(`${address} to answer`, async () => (await lab.client.arping(address)).length > 0)
      const answers = await lab.client.arping(address, { count: 3 })
      expect(new Set(answers).size).toBe(1)
      for (const node of lab.nodes) expect(await node.addresses()).not.toContain(address)
    }
  })

  it('is reached through ARP and NDP from the LAN', async () => {
    for (const address of [spread.ipv4, spread.ipv6, local.ipv4, local.ipv6]) {
      const answer = await lab.waitFor(`${address} to answer`, () => lab.client.curl(urlOf(address)))
      expect(answer.status).toBe(200)
    }
  })

  it('has a next hop for every node with policy Cluster', async () => {
    for (const router of lab.routers) {
      for (const [prefix, family] of prefixes(spread)) {
        const hops = await lab.waitFor(`three next hops of ${prefix} on ${router.name}`, async () => {
          const found = await router.nextHops(prefix)
          return found.length === 3 && found
        })
        expect(hops.map(({ ip }) => ip).toSorted()).toEqual(lab.nodes.map((node) => node[family]))
      }
    }
  })

  it('has a next hop only for nodes with a ready endpoint with policy Local', async () => {
    const [pod] = await lab.list<PodObject>('pods', { namespace, selector: 'app=local' })
    const node = lab.node(pod?.spec.nodeName ?? '')
    for (const [prefix, family] of prefixes(local)) {
      const hops = await lab.waitFor(`one next hop of ${prefix}`, async () => {
        const found = (await lab.routers[0]?.nextHops(prefix)) ?? []
        return found.length === 1 && found
      })
      expect(hops.map(({ ip }) => ip)).toEqual([node[family]])
    }
    const mac = await lab.waitFor(
      `${local.ipv4} to answer`,
      async () => (await lab.client.arping(local.ipv4))[0],
    )
    expect(mac.toLowerCase()).toBe(await node.mac())
  })

  it('is reached from behind the routers', async () => {
    for (const address of [spread.ipv4, spread.ipv6, local.ipv4, local.ipv6]) {
      const answer = await lab.waitFor(`${address} to answer`, () => lab.client2.curl(urlOf(address)))
      expect(answer.status).toBe(200)
    }
  })

  it('1.6: when a speaker is killed routers go on by the other nodes, and requests are answered', {
    timeout: 300_000,
  }, async () => {
    const [pod] = await lab.list<PodObject>('pods', { namespace, selector: 'app=spread' })
    const [victim = ''] = lab.nodes.flatMap(({ name }) => (name === pod?.spec.nodeName ? [] : name))
    const others = lab.nodes.filter(({ name }) => name !== victim)
    const running = await lab.list<PodObject>('pods', speakers)
    const speaker = running.find(({ spec }) => spec.nodeName === victim)?.metadata.name ?? ''
    const hops = () =>
      Promise.all(
        lab.routers.flatMap((router) => prefixes(spread).map(([prefix]) => nextHops(router, prefix))),
      )
    const hopsTo = (nodes: readonly LabNode[]) =>
      lab.routers.flatMap(() => prefixes(spread).map(([, family]) => nodes.map((node) => node[family])))
    await expect.poll(hops, patient).toEqual(hopsTo(lab.nodes))
    const asking = new Asking(lab.client2, urlOf(spread.ipv4))
    try {
      await answered(asking)
      // So that nobody starts it again before its end was seen.
      lab.signalDaemon(`kubelet-${victim}`, 'SIGSTOP')
      lab.pods.kill(speakers.namespace, speaker, 'speaker')
      await expect.poll(hops, patient).toEqual(hopsTo(others))
      await answered(asking)
    } finally {
      lab.signalDaemon(`kubelet-${victim}`, 'SIGCONT')
      await asking.stop()
    }
    // A container that fell once would not be started again at once.
    await lab.kubectl(['delete', 'pod', speaker, '-n', speakers.namespace])
    await expect.poll(readySpeakers, patient).toBe(lab.nodes.length)
    await expect.poll(hops, patient).toEqual(hopsTo(lab.nodes))
  })

  it('withdraws when the Service goes', async () => {
    await lab.kubectl(['delete', 'service', 'spread', '-n', namespace])
    const gone = { timeout: 30_000, interval: 100 }
    for (const router of lab.routers)
      for (const [prefix] of prefixes(spread))
        await expect.poll(() => router.nextHops(prefix), gone).toEqual([])
    for (const address of [spread.ipv4, spread.ipv6])
      await expect.poll(() => lab.client.arping(address), gone).toEqual([])
  })
})

interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/** 20 requests in a row, of those that are sent from now on. */
async function answered(asking: Asking): Promise<void> {
  // One may be under way.
  const from = asking.answers.length + 1
  const look = () => {
    const last = asking.answers.slice(from).slice(-20)
    return last.length === 20 && lostOf(last).length === 0
  }
  await lab.waitFor('20 answers in a row', look, { timeoutMs: 60_000 })
}

async function readySpeakers(): Promise<number> {
  const pods = await lab.list<PodObject>('pods', speakers)
  return pods.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  ).length
}

function prefixes({ ipv4, ipv6 }: Addresses): readonly (readonly [string, 'ipv4' | 'ipv6'])[] {
  return [
    [`${ipv4}/32`, 'ipv4'],
    [`${ipv6}/128`, 'ipv6'],
  ]
}
