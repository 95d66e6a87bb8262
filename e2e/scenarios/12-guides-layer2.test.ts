/**
 * The three guides whose addresses go by layer 2, each from top to bottom as a script of its own commands (`guide.txt` in
 * `e2e/seeds`), with what it prints; and what else it promises. A test's number is its row in e2e/seeds/README.md.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Lab, LabNode } from '../lab/index.ts'
import { tookAtMost } from '../seeds/times.ts'
import { epochMs, watchSegment } from '../segment/watch.ts'
import { Asking, bodiesOf, lostOf } from './asking.ts'
import { GuideSite, patient } from './guide-site.ts'

const second = 1000

interface Loss {
  readonly what: string
  strike(node: LabNode): Promise<void>
  heal(node: LabNode): Promise<void>
}

describe('the guides by layer 2, from top to bottom', { timeout: 300_000 }, () => {
  let site: GuideSite
  let lab: Lab

  beforeAll(async () => {
    site = await GuideSite.start()
    lab = site.lab
  })

  afterAll(() => site?.end())

  describe('under the hood', () => {
    beforeAll(() => site.onLink(lab.client, '192.168.2.0/24'))

    afterAll(() => site.clear())

    it('2.2, 2.3, 2.6, 2.7: prints what the guide prints', async () => {
      const [difference, addressedMs] = await Promise.all([site.follow('002-under-the-hood'), addressed()])
      expect(difference).toBe('')
      const since = (command: string, atMs: number) => atMs - site.script.timeOf(command).printedMs
      const printed = (command: string) =>
        since('kubectl apply -f metallb.yaml', site.script.timeOf(command).printedMs)
      tookAtMost(10 * second, printed('kubectl get deploy -n'), '2.3: from the installation to READY 0/1')
      tookAtMost(
        60 * second,
        printed('kubectl get deploy controller'),
        '2.3: from the installation to READY 1/1',
      )
      const waited = since('kubectl apply -f metallb-config.yaml', addressedMs)
      tookAtMost(5 * second, waited, '2.6: from the configuration to the address of the Service')
    })

    /** When the Service had its address. */
    async function addressed(): Promise<number> {
      const name = 'load-balancer-service'
      await lab.waitFor(name, () => lab.get('service', name, 'default'))
      const has = '--for=jsonpath={.status.loadBalancer.ingress}'
      await lab.tryKubectl(['wait', has, `service/${name}`, '--timeout=240s'])
      return Date.now()
    }

    it('2.8: the address is on no node', async () => {
      for (const node of lab.nodes) expect(await node.addresses()).not.toContain('192.168.2.10')
    })
  })

  describe('Raspberry Pis', () => {
    const role = 'node-role.kubernetes.io/control-plane'

    beforeAll(async () => {
      await site.onLink(lab.client, '192.168.0.0/23')
      await lab.kubectl(['label', 'node', 'n1', `${role}=`])
      await lab.kubectl(['taint', 'node', 'n1', `${role}:NoSchedule`])
    })

    afterAll(async () => {
      await lab.kubectl(['label', 'node', 'n1', `${role}-`])
      await lab.kubectl(['taint', 'node', 'n1', `${role}-`])
      await site.clear()
    })

    it('3.2, 3.4, 3.6, 3.7: prints what the guide prints, with a speaker on the master too', async () => {
      expect(await site.follow('003-raspberry-pi')).toBe('')
    })

    it('a bare Pod that is exposed, as `kubectl run` makes it today, gets an address and answers', async () => {
      await lab.kubectl(['run', 'bare', '--image=nginx'])
      await lab.kubectl(['expose', 'pod', 'bare', '--port=80', '--type=LoadBalancer'])
      try {
        const jsonpath = 'jsonpath={.status.loadBalancer.ingress[0].ip}'
        const ip = await lab.waitFor('an address of bare', () =>
          lab.kubectl(['get', 'service', 'bare', '-o', jsonpath]),
        )
        const answers = async () => (await lab.client.curl(`http://${ip}/`).catch(() => undefined))?.body
        await expect.poll(answers, patient).toContain('Welcome to nginx!')
      } finally {
        await lab.kubectl(['delete', 'service/bare', 'pod/bare', '--timeout=60s'])
      }
    })

    const address = '192.168.0.230'
    const losses: readonly Loss[] = [
      { what: 'loses its link', strike: (node) => node.cut(), heal: (node) => node.restore() },
      { what: 'freezes', strike: (node) => node.freeze(), heal: (node) => node.thaw() },
    ]

    it.each(losses)(
      '3.8: a node that owns nothing $what: the owner stays, no request is lost',
      async (loss) => {
        const [owner, victim] = await ownerAndIdle()
        const hears = (node: LabNode, others: number) =>
          expect
            .poll(() => site.metric(node.name, 'landfall_layer2_members', 'state="serving"'), patient)
            .toBe(others)
        await hears(owner, 2)
        const watch = await watchSegment(lab, { ask: [address], everyMs: 100 })
        const asking = new Asking(lab.client, `http://${address}/`)
        let [healedMs, settledMs] = [0, 0]
        try {
          await more(asking)
          await loss.strike(victim)
          try {
            await hears(owner, 1)
            await more(asking)
          } finally {
            healedMs = epochMs()
            await loss.heal(victim)
          }
          // A link that was cut made two sides of one LAN, each with an owner, until they hear each other.
          for (const node of [owner, victim]) await hears(node, 2)
          await more(asking)
          settledMs = epochMs()
          await more(asking)
        } finally {
          await asking.stop()
          await watch.stop()
        }
        expect(lostOf(asking.answers).join('; ')).toBe('')
        const claims = watch.claims.filter(
          ({ ip, at }) => ip === address && (at < healedMs || at > settledMs),
        )
        expect(new Set(claims.map(({ mac }) => mac))).toEqual(new Set([await owner.mac()]))
      },
    )

    /** Who answers for the address, and a node that has no part in it. */
    async function ownerAndIdle(): Promise<readonly [LabNode, LabNode]> {
      const macs = await lab.waitFor('an owner', async () => {
        const answers = await lab.client.arping(address)
        return answers.length > 0 && answers
      })
      const nodes = await Promise.all(lab.nodes.map(async (node) => ({ node, mac: await node.mac() })))
      const backends = await site.nodesOf('app=nginx', 'default')
      const owner = nodes.find(({ mac }) => mac === macs[0]?.toLowerCase())?.node
      const idle = lab.nodes.find((node) => node !== owner && !backends.includes(node.name))
      if (owner === undefined || idle === undefined) throw new Error('every node has a part in it')
      return [owner, idle]
    }

    /** 30 requests more, answered or not. */
    async function more(asking: Asking): Promise<void> {
      const before = asking.answers.length
      await lab.waitFor('30 answers', () => asking.answers.length >= before + 30)
    }
  })

  describe('RKE, speakers on the nodes of one VLAN', () => {
    const url = 'http://172.30.1.96/'

    // What a client sends before kube-proxy knows the address leaves an entry in the node's table of connections that leads
    // nowhere, and lasts two minutes: the kernel of a client that asks often takes its port again by then.
    const forget = ['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_timeout_syn_sent=1']

    beforeAll(async () => {
      await site.onLink(lab.client, '172.30.0.0/23')
      await Promise.all(lab.nodes.map((node) => node.run(forget)))
    })

    afterAll(async () => {
      await lab.kubectl(['label', 'nodes', '--all', 'vlan-'])
      await site.clear()
    })

    const hello = (...numbers: readonly number[]) =>
      new Set(numbers.map((number) => `Hello from a container http-${number}`))
    const rolledOut = () =>
      lab.kubectl(['rollout', 'status', 'statefulset/http', '-n', 'metal-test', '--timeout=90s'])

    it('4.1, 4.2, 4.7: prints what the guide prints', async () => {
      expect(await site.follow('004-rke')).toBe('')
    })

    it('4.2: a node that gets the label gets a speaker', async () => {
      expect(await site.nodesOf('component=speaker')).toEqual(['n1', 'n2'])
      await lab.kubectl(['label', 'node', 'n3', 'vlan=50'])
      await expect.poll(() => site.nodesOf('component=speaker'), patient).toEqual(['n1', 'n2', 'n3'])
      await lab.kubectl(['label', 'node', 'n3', 'vlan-'])
      await expect.poll(() => site.nodesOf('component=speaker'), patient).toEqual(['n1', 'n2'])
    })

    /** Asks until so many more were answered, or not, and each of those whose name is given was heard of. */
    async function hear(asking: Asking, ...numbers: readonly number[]): Promise<void> {
      const before = asking.answers.length
      await lab.waitFor(`60 answers of ${numbers.join(', ')}`, async () => {
        const since = asking.answers.slice(before)
        return since.length >= 60 && [...hello(...numbers)].every((body) => bodiesOf(since).has(body))
      })
    }

    /** By any node's kube-proxy. */
    async function isKnown(address: string): Promise<boolean> {
      const rules = await Promise.all(
        lab.nodes.map((node) => node.run(['nft', 'list', 'table', 'ip', 'kube-proxy'])),
      )
      return rules.some((text) => text.split(/[^0-9.]+/).includes(address))
    }

    it('4.8: all three answer, by name, nothing else does, and no request is lost', async () => {
      await rolledOut()
      const asking = new Asking(lab.client, url)
      onTestFinished(() => void asking.stop())
      await hear(asking, 0, 1, 2)
      const answers = await asking.stop()
      expect(lostOf(answers).join('; ')).toBe('')
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
      onTestFinished(() => void asking.stop())
      await hear(asking, 0, 1, 2)
      expect(lostOf(asking.answers).join('; ')).toBe('')
      // So that another one is not there at once.
      onTestFinished(() => lab.delete([quota]))
      await lab.apply([quota])
      const killed = asking.answers.length
      const podIP = ['-o', 'jsonpath={.status.podIP}']
      const address = await lab.kubectl(['get', 'pod', 'http-1', '-n', 'metal-test', ...podIP])
      expect(await isKnown(address)).toBe(true)
      await lab.kubectl(['delete', 'pod', 'http-1', '-n', 'metal-test'])
      // What goes to it until every kube-proxy has heard of it is refused.
      await expect.poll(() => isKnown(address), patient).toBe(false)
      const goneMs = Date.now()
      const before = asking.answers.length
      const toOneOfThree = lostOf(asking.answers.slice(killed, before)).length
      expect(toOneOfThree).toBeLessThanOrEqual(Math.max(10, ((before - killed) * 2) / 3))
      await hear(asking, 0, 2)
      expect(bodiesOf(asking.answers.slice(before + 1))).toEqual(hello(0, 2))
      await lab.delete([quota])
      await rolledOut()
      await hear(asking, 0, 1, 2)
      expect(lostOf(await asking.stop(), goneMs).join('; ')).toBe('')
    })

    it('4.3: only nodes with a speaker answer, though all pods are on another', async () => {
      const patch = JSON.stringify({ spec: { template: { spec: { nodeName: 'n3' } } } })
      await lab.kubectl(['patch', 'statefulset', 'http', '-n', 'metal-test', '-p', patch])
      await rolledOut()
      expect(new Set(await site.nodesOf('app=nginx', 'metal-test'))).toEqual(new Set(['n3']))
      const macs = await Promise.all(['n1', 'n2'].map((name) => lab.node(name).mac()))
      const answered = new Set(await lab.client.arping('172.30.1.96', { count: 3 }))
      expect(answered.size).toBe(1)
      expect(macs).toEqual(expect.arrayContaining([...answered]))
      const asking = new Asking(lab.client, url)
      onTestFinished(() => void asking.stop())
      await hear(asking, 0, 1, 2)
      expect(lostOf(await asking.stop()).join('; ')).toBe('')
    })
  })
})
