/**
 * Each of the five guides from top to bottom as a script of its own commands (`guide.txt` in `e2e/seeds`), with what it
 * prints, on a lab of its own; and what else it promises. A test's number is its row in e2e/seeds/README.md.
 */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, type KubernetesObject, type Lab, type LabHost, type LabRouter } from '../lab/index.ts'
import { bgpConfig, routerAsn } from '../lab/routers/frr-config.ts'
import { GuideScript } from '../seeds/script.ts'
import { Asking, bodiesOf, lostOf } from './asking.ts'
import { broken, notReleased } from './invariants.ts'
import { nextHops } from './site.ts'

const system = 'metallb-system'
const providerAsn = 65_530
/** Until kube-proxy has written what it heard. */
const proxyMs = 3000
const patient = { timeout: 60_000, interval: 500 }
const root = join(import.meta.dirname, '..', '..')
const manifest = join(root, 'manifests', 'landfall.yaml')
const hello = join(root, 'examples', 'hello.yaml')
const label = 'metallb.universe.tf'

interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
}

interface NeighborsJson {
  readonly [address: string]: {
    readonly bgpTimerHoldTimeMsecs?: number
    readonly bgpTimerKeepAliveIntervalMsecs?: number
  }
}

interface PathsJson {
  readonly paths: readonly object[]
}

interface SliceObject extends KubernetesObject {
  readonly endpoints: readonly { readonly targetRef?: { readonly name: string } }[] | null
}

describe('the guides, from top to bottom', { timeout: 300_000 }, () => {
  let lab: Lab
  let script: GuideScript | undefined

  beforeAll(async () => {
    lab = await createLab({ nodes: 3 })
    for (const router of lab.routers) {
      const lines = bgpConfig(router.host).replace(`bgp ${routerAsn}`, `bgp ${providerAsn}`).split('\n')
      const own = lines.slice(lines.findIndex((line) => line.startsWith('router ')))
      await router.configure([`no router bgp ${routerAsn}`, ...own.filter((line) => /^ *[a-z]/.test(line))])
    }
  })

  afterAll(async () => {
    script?.end()
    await lab?.down()
  })

  /** @returns what does not look as in the guide, or what `landfall status` goes on to find wrong at its end */
  async function follow(guide: string): Promise<string> {
    script = new GuideScript(lab, guide)
    return (await script.run()) || (await script.look('landfall status'))
  }

  /** Everything that a guide made, when what always holds was seen to hold. */
  async function clear(): Promise<void> {
    script?.end()
    try {
      expect([...(await broken(lab)), ...(await notReleased(lab))]).toEqual([])
    } finally {
      await lab.kubectl(['delete', 'deployment', '--all', '--wait=false'])
      const services = await lab.list('service', { namespace: 'default' })
      const made = services.filter(({ metadata }) => metadata.name !== 'kubernetes')
      await lab.delete(made.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata })))
      await lab.kubectl(['delete', 'namespace', 'metal-test', '--ignore-not-found', '--timeout=90s'])
      await lab.kubectl(['delete', '-f', manifest, '--ignore-not-found', '--timeout=120s'])
    }
  }

  async function nodesOf(selector: string, namespace = system): Promise<readonly string[]> {
    const pods = await lab.list<PodObject>('pods', { namespace, selector })
    return pods.flatMap(({ spec }) => spec.nodeName ?? []).toSorted()
  }

  /** An address that is none of the LAN's is on it all the same. */
  async function onLink(host: LabHost, prefix: string): Promise<void> {
    await host.run([lab.parts.ip, 'route', 'replace', prefix, 'dev', 'eth0'])
  }

  async function neighborsOf(router: LabRouter | undefined): Promise<readonly string[]> {
    const all = (await router?.bgpNeighbors()) ?? []
    return all
      .filter(({ state }) => state === 'Established')
      .map(({ address }) => address)
      .toSorted()
  }

  const ipOf = (name: string) => lab.node(name).ipv4

  describe('Lokomotive', () => {
    const peer = (name: string, at: LabHost | undefined) =>
      lab.kubectl(['label', 'node', name, '--overwrite', `${label}/peer-address=${at?.ipv4}`])

    beforeAll(async () => {
      for (const name of ['n1', 'n2']) {
        await lab.kubectl([
          'label',
          'node',
          name,
          `${label}/my-asn=65000`,
          `${label}/peer-asn=${providerAsn}`,
        ])
        await peer(name, lab.routers[0])
      }
    })

    afterAll(async () => {
      const names = ['my-asn', 'peer-asn', 'peer-address'].map((name) => `${label}/${name}-`)
      await lab.kubectl(['label', 'node', 'n1', 'n2', ...names])
      await clear()
    })

    it('0.4, 0.5, 0.6, 0.9, 0.12: prints what the guide prints', async () => {
      expect(await follow('000-lokomotive')).toBe('')
    })

    it('0.10: trace follows a URL through the pool of the ConfigMap to a pod', async () => {
      await lab.kubectl(['apply', '-f', hello])
      const pool = '✓ pool  default (147.75.40.46/32), address-pools[0] of ConfigMap metallb-system/config'
      const line = 'landfall trace http://world.example.com/ --address 147.75.40.46'
      const envoy = '  envoy-…, ready, connected to contour'
      expect(await script?.look(line, ['...', pool, '...', envoy, '...', '✓ pods  …', '...'])).toBe('')
      await lab.kubectl(['delete', '-f', hello])
    })

    it('0.4: a second run changes nothing', async () => {
      const before = await generations()
      expect((await script?.shell('lokoctl component apply'))?.code).toBe(0)
      expect(await generations()).toEqual(before)
    })

    it('0.8: the line that proves the session has the keys of then, in their order', async () => {
      const logs = 'kubectl -n metallb-system logs -l component=speaker --tail=-1'
      const said = (await script?.shell(`${logs} | grep sessionUp`))?.stdout.trim() ?? ''
      expect(said).not.toBe('')
      const lines = said.split('\n')
      for (const line of lines) {
        const { caller, ts, ...rest }: Readonly<Record<string, unknown>> = JSON.parse(line)
        expect(Object.keys(JSON.parse(line))).toEqual(Object.keys({ caller, ...rest, ts }))
        expect(caller).toMatch(/^[\w./-]+:\d+$/)
        expect(ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
        expect(rest).toEqual({
          event: 'sessionUp',
          level: 'info',
          localASN: 65_000,
          msg: 'BGP session established',
          peer: `${lab.routers[0]?.ipv4}:179`,
          peerASN: providerAsn,
        })
      }
    })

    it('0.7: who has no labels dials nobody, and a changed label moves the session', async () => {
      const [r1, r2] = lab.routers
      expect(await neighborsOf(r1)).toEqual([ipOf('n1'), ipOf('n2')])
      expect(await neighborsOf(r2)).toEqual([])
      await peer('n2', r2)
      await expect.poll(() => neighborsOf(r2), patient).toEqual([ipOf('n2')])
      await expect.poll(() => neighborsOf(r1), patient).toEqual([ipOf('n1')])
    })

    it('0.10: where no Envoy is ready any more the route goes, and comes back with it', async () => {
      const hops = () => nextHops(lab.routers[0], '147.75.40.46/32')
      const select = (nodeSelector: object) =>
        lab.kubectl([
          'patch',
          'daemonset',
          'envoy',
          '-n',
          'projectcontour',
          '-p',
          JSON.stringify({ spec: { template: { spec: { nodeSelector } } } }),
        ])
      await expect.poll(hops, patient).toEqual([ipOf('n1')])
      await select({ 'kubernetes.io/hostname': 'n2' })
      await expect.poll(hops, patient).toEqual([])
      await select({ 'kubernetes.io/hostname': null })
      await expect.poll(hops, patient).toEqual([ipOf('n1')])
    })

    async function generations(): Promise<readonly string[]> {
      const columns =
        '-o=jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.generation}{"\\n"}{end}'
      const kinds = 'deployment,daemonset,configmap,service,clusterrole,role'
      return (await lab.kubectl(['get', kinds, '-A', columns])).split('\n')
    }
  })

  describe('the component MetalLB', () => {
    const routers = ['10.64.43.10', '10.64.54.2']

    beforeAll(async () => {
      for (const [index, address] of routers.entries()) {
        await lab.routers[index]?.run([lab.parts.ip, 'address', 'add', `${address}/32`, 'dev', 'eth0'])
        for (const node of lab.nodes) await onLink(node, `${address}/32`)
        await named(`n${index + 1}`, `worker-${index}`)
      }
      await named('n3', 'worker3')
      await lab.kubectl(['label', 'node', 'n1', 'ingress_node=true', 'node-role.kubernetes.io/node='])
    })

    afterAll(async () => {
      for (const node of lab.nodes) await named(node.name, node.name)
      await lab.kubectl(['label', 'node', 'n1', 'ingress_node-', 'node-role.kubernetes.io/node-'])
      await clear()
    })

    const named = (node: string, name: string) =>
      lab.kubectl(['label', 'node', node, '--overwrite', `kubernetes.io/hostname=${name}`])

    it('1.2, 1.9, 1.11, 1.14: prints what the guide prints, and pods go where it says', async () => {
      expect(await follow('001-metallb-component')).toBe('')
    })

    it('1.2, 1.3, 1.4: each worker has its own peer, which learns the address over it', async () => {
      // Without the guide's selectors a third one runs, and has no peer.
      expect(await nodesOf('component=speaker')).toEqual(['n1', 'n2', 'n3'])
      for (const [index, router] of lab.routers.entries()) {
        const node = ipOf(`n${index + 1}`)
        await expect.poll(() => neighborsOf(router), patient).toEqual([node])
        const timers = (await router.show('show bgp neighbors')) as NeighborsJson
        expect(timers[node]).toMatchObject({
          bgpTimerHoldTimeMsecs: 3000,
          bgpTimerKeepAliveIntervalMsecs: 1000,
        })
        await expect.poll(() => nextHops(router, '147.75.40.46/32'), patient).toEqual([node])
        const learnt = (await router.show('show bgp ipv4 unicast 147.75.40.46/32')) as PathsJson
        expect(learnt.paths).toMatchObject([{ aspath: { string: '65000' }, nexthops: [{ ip: node }] }])
      }
    })

    it('1.3: a speaker that stands still is given up, and has its session again when it goes on', async () => {
      const pods = await lab.list<PodObject>('pods', { namespace: system, selector: 'component=speaker' })
      const name = pods.find(({ spec }) => spec.nodeName === 'n1')?.metadata.name ?? ''
      const pid = lab.pods.process(system, name, 'speaker')?.pid ?? 0
      expect(pid).toBeGreaterThan(1)
      process.kill(pid, 'SIGSTOP')
      try {
        await expect.poll(() => neighborsOf(lab.routers[0]), patient).toEqual([])
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await expect.poll(() => neighborsOf(lab.routers[0]), patient).toEqual([ipOf('n1')])
    })

    it('1.6: a node whose link is cut is no next hop, the other one stays, until it is back', async () => {
      const hops = () => Promise.all(lab.routers.map((one) => nextHops(one, '147.75.40.46/32')))
      await expect.poll(hops, patient).toEqual([[ipOf('n1')], [ipOf('n2')]])
      await lab.node('n1').cut({ silent: true })
      await expect
        .poll(hops, patient)
        .toEqual([[], [ipOf('n2')]])
        .finally(() => lab.node('n1').restore())
      await expect.poll(hops, patient).toEqual([[ipOf('n1')], [ipOf('n2')]])
    })
  })

  describe('under the hood', () => {
    beforeAll(() => onLink(lab.client, '192.168.2.0/24'))

    afterAll(clear)

    it('2.2, 2.3, 2.6, 2.7: prints what the guide prints', async () => {
      expect(await follow('002-under-the-hood')).toBe('')
    })

    it('2.8: the address is on no node', async () => {
      for (const node of lab.nodes) expect(await node.addresses()).not.toContain('192.168.2.10')
    })
  })

  describe('Raspberry Pis', () => {
    const role = 'node-role.kubernetes.io/control-plane'

    beforeAll(async () => {
      await onLink(lab.client, '192.168.0.0/23')
      await lab.kubectl(['label', 'node', 'n1', `${role}=`])
      await lab.kubectl(['taint', 'node', 'n1', `${role}:NoSchedule`])
    })

    afterAll(async () => {
      await lab.kubectl(['label', 'node', 'n1', `${role}-`])
      await lab.kubectl(['taint', 'node', 'n1', `${role}-`])
      await clear()
    })

    it('3.2, 3.4, 3.6, 3.7: prints what the guide prints, with a speaker on the master too', async () => {
      expect(await follow('003-raspberry-pi')).toBe('')
    })
  })

  describe('RKE, speakers on the nodes of one VLAN', () => {
    const url = 'http://172.30.1.96/'

    beforeAll(() => onLink(lab.client, '172.30.0.0/23'))

    afterAll(async () => {
      await lab.kubectl(['label', 'nodes', '--all', 'vlan-'])
      await clear()
    })

    const hello = (...numbers: readonly number[]) =>
      new Set(numbers.map((number) => `Hello from a container http-${number}`))
    const rolledOut = () =>
      lab.kubectl(['rollout', 'status', 'statefulset/http', '-n', 'metal-test', '--timeout=90s'])

    it('4.1, 4.2, 4.7: prints what the guide prints', async () => {
      expect(await follow('004-rke')).toBe('')
    })

    it('4.2: a node that gets the label gets a speaker', async () => {
      expect(await nodesOf('component=speaker')).toEqual(['n1', 'n2'])
      await lab.kubectl(['label', 'node', 'n3', 'vlan=50'])
      await expect.poll(() => nodesOf('component=speaker'), patient).toEqual(['n1', 'n2', 'n3'])
      await lab.kubectl(['label', 'node', 'n3', 'vlan-'])
      await expect.poll(() => nodesOf('component=speaker'), patient).toEqual(['n1', 'n2'])
    })

    /** Asks until so many more were answered, or not, and each of those whose name is given was heard of. */
    async function hear(asking: Asking, ...numbers: readonly number[]): Promise<void> {
      const before = asking.answers.length
      await lab.waitFor(`60 answers of ${numbers.join(', ')}`, async () => {
        const since = asking.answers.slice(before)
        return since.length >= 60 && [...hello(...numbers)].every((body) => bodiesOf(since).has(body))
      })
    }

    async function endpoints(): Promise<readonly string[]> {
      const selector = 'kubernetes.io/service-name=nginx'
      const slices = await lab.list<SliceObject>('endpointslices', { namespace: 'metal-test', selector })
      return slices.flatMap((one) => (one.endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? ''))
    }

    it('4.8: all three answer, by name, nothing else does, and no request is lost', async () => {
      await rolledOut()
      const asking = new Asking(lab.client, url)
      await hear(asking, 0, 1, 2)
      const answers = await asking.stop()
      expect(lostOf(answers)).toEqual([])
      expect(bodiesOf(answers)).toEqual(hello(0, 1, 2))
    })

    it('4.9: when one is gone the others answer, and lose nothing once that is known, until it is back', async () => {
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'two', namespace: 'metal-test' },
        spec: { hard: { pods: '2' } },
      }
      await rolledOut()
      const asking = new Asking(lab.client, url)
      await hear(asking, 0, 1, 2)
      expect(lostOf(asking.answers)).toEqual([])
      // So that another one is not there at once.
      await lab.apply([quota])
      const killed = asking.answers.length
      await lab.kubectl(['delete', 'pod', 'http-1', '-n', 'metal-test'])
      await expect.poll(endpoints, patient).not.toContain('http-1')
      // What goes to it until kube-proxy has heard of it is refused.
      await setTimeout(proxyMs)
      const goneMs = Date.now()
      const before = asking.answers.length
      const toOneOfThree = lostOf(asking.answers.slice(killed, before)).length
      expect(toOneOfThree).toBeLessThanOrEqual(Math.max(10, ((before - killed) * 2) / 3))
      await hear(asking, 0, 2)
      expect(bodiesOf(asking.answers.slice(before + 1))).toEqual(hello(0, 2))
      await lab.delete([quota])
      await rolledOut()
      await hear(asking, 0, 1, 2)
      expect(lostOf(await asking.stop(), goneMs)).toEqual([])
    })

    it('4.3: only nodes with a speaker answer, though all pods are on another', async () => {
      const patch = JSON.stringify({ spec: { template: { spec: { nodeName: 'n3' } } } })
      await lab.kubectl(['patch', 'statefulset', 'http', '-n', 'metal-test', '-p', patch])
      await rolledOut()
      expect(new Set(await nodesOf('app=nginx', 'metal-test'))).toEqual(new Set(['n3']))
      const macs = await Promise.all(['n1', 'n2'].map((name) => lab.node(name).mac()))
      const answered = new Set(await lab.client.arping('172.30.1.96', { count: 3 }))
      expect(answered.size).toBe(1)
      expect(macs).toEqual(expect.arrayContaining([...answered]))
      const asking = new Asking(lab.client, url)
      await hear(asking, 0, 1, 2)
      expect(lostOf(await asking.stop())).toEqual([])
    })
  })
})
