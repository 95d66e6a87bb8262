/**
 * The two guides of Lokomotive, whose addresses go by BGP, each from top to bottom as a script of its own commands
 * (`guide.txt` in `e2e/seeds`), with what it prints; and what else it promises. A test's number is its row in
 * e2e/seeds/README.md.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lab, LabHost, LabRouter } from '../lab/index.ts'
import { bgpConfig, routerAsn } from '../lab/routers/frr-config.ts'
import { tookAtMost } from '../seeds/times.ts'
import { GuideSite, patient, system } from './guide-site.ts'
import { nextHops } from './site.ts'

const providerAsn = 65_530
const holdMs = 3000
/** Of timers, and of a look at a log or a router. */
const lateMs = 100
const minute = 60_000
const hello = join(import.meta.dirname, '..', '..', 'examples', 'hello.yaml')
const label = 'metallb.universe.tf'

interface NeighborsJson {
  readonly [address: string]: {
    readonly bgpTimerHoldTimeMsecs?: number
    readonly bgpTimerKeepAliveIntervalMsecs?: number
  }
}

interface SessionLine {
  readonly ts: string
  readonly peer: string
  readonly reason: string
}

interface PathsJson {
  readonly paths: readonly object[]
}

describe('the guides by BGP, from top to bottom', { timeout: 300_000 }, () => {
  let site: GuideSite
  let lab: Lab

  beforeAll(async () => {
    site = await GuideSite.start()
    lab = site.lab
    for (const router of lab.routers) {
      const lines = bgpConfig(router.host).replace(`bgp ${routerAsn}`, `bgp ${providerAsn}`).split('\n')
      const own = lines.slice(lines.findIndex((line) => line.startsWith('router ')))
      await router.configure([`no router bgp ${routerAsn}`, ...own.filter((line) => /^ *[a-z]/.test(line))])
    }
  })

  afterAll(() => site?.end())

  async function neighborsOf(router: LabRouter | undefined): Promise<readonly string[]> {
    const all = (await router?.bgpNeighbors()) ?? []
    return all
      .filter(({ state }) => state === 'Established')
      .map(({ address }) => address)
      .toSorted()
  }

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
      await site.clear()
    })

    it('0.4, 0.5, 0.6, 0.9, 0.12: prints what the guide prints', async () => {
      expect(await site.follow('000-lokomotive')).toBe('')
      const { typedMs } = site.script.timeOf('lokoctl component install')
      const { printedMs } = site.script.timeOf('kubectl get svc envoy')
      tookAtMost(15 * minute, printedMs - typedMs, '0.12: from the installation to the address of Envoy')
    })

    it('0.10: trace follows a URL through the pool of the ConfigMap to a pod', async () => {
      await lab.kubectl(['apply', '-f', hello])
      const pool = '✓ pool  default (147.75.40.46/32), address-pools[0] of ConfigMap metallb-system/config'
      const line = 'landfall trace http://world.example.com/ --address 147.75.40.46'
      const envoy = '  envoy-…, ready, connected to contour'
      expect(await site.script.look(line, ['...', pool, '...', envoy, '...', '✓ pods  …', '...'])).toBe('')
      await lab.kubectl(['delete', '-f', hello])
    })

    it('0.4: a second run changes nothing', async () => {
      const before = await generations()
      expect((await site.script.shell('lokoctl component apply')).code).toBe(0)
      expect(await generations()).toEqual(before)
    })

    it('0.8: the line that proves the session has the keys of then, in their order', async () => {
      const logs = 'kubectl -n metallb-system logs -l component=speaker --tail=-1'
      const said = (await site.script.shell(`${logs} | grep sessionUp`)).stdout.trim()
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
      await expect.poll(() => neighborsOf(r1), patient).toEqual([site.ipOf('n1'), site.ipOf('n2')])
      expect(await neighborsOf(r2)).toEqual([])
      await peer('n2', r2)
      await expect.poll(() => neighborsOf(r2), patient).toEqual([site.ipOf('n2')])
      await expect.poll(() => neighborsOf(r1), patient).toEqual([site.ipOf('n1')])
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
      await expect.poll(hops, patient).toEqual([site.ipOf('n1')])
      await select({ 'kubernetes.io/hostname': 'n2' })
      await expect.poll(hops, patient).toEqual([])
      await select({ 'kubernetes.io/hostname': null })
      await expect.poll(hops, patient).toEqual([site.ipOf('n1')])
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
        for (const node of lab.nodes) await site.onLink(node, `${address}/32`)
        await named(`n${index + 1}`, `worker-${index}`)
      }
      await named('n3', 'worker3')
      await lab.kubectl(['label', 'node', 'n1', 'ingress_node=true', 'node-role.kubernetes.io/node='])
    })

    afterAll(async () => {
      for (const node of lab.nodes) await named(node.name, node.name)
      await lab.kubectl(['label', 'node', 'n1', 'ingress_node-', 'node-role.kubernetes.io/node-'])
      await site.clear()
    })

    const named = (node: string, name: string) =>
      lab.kubectl(['label', 'node', node, '--overwrite', `kubernetes.io/hostname=${name}`])

    it('1.2, 1.9, 1.11, 1.14: prints what the guide prints, and pods go where it says', async () => {
      expect(await site.follow('001-metallb-component')).toBe('')
    })

    it('1.2, 1.3, 1.4: each worker has its own peer, which learns the address over it', async () => {
      // Without the guide's selectors a third one runs, and has no peer.
      expect(await site.nodesOf('component=speaker')).toEqual(['n1', 'n2', 'n3'])
      for (const [index, router] of lab.routers.entries()) {
        const node = site.ipOf(`n${index + 1}`)
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
      const [router] = lab.routers
      const name = await site.speakerOn('n1')
      lab.pods.kill(system, name, 'speaker', 'SIGSTOP')
      const stoppedMs = Date.now()
      let hadMs = stoppedMs
      const isGivenUp = async () => {
        const lookedMs = Date.now()
        const has = (await neighborsOf(router)).length > 0
        if (has) hadMs = lookedMs
        return !has
      }
      try {
        await lab.waitFor('the router to give it up', isGivenUp, { timeoutMs: minute })
      } finally {
        lab.pods.kill(system, name, 'speaker', 'SIGCONT')
      }
      tookAtMost(
        holdMs + lateMs,
        hadMs - stoppedMs,
        '1.3: a frozen speaker is still the neighbor of its router',
      )
      await expect.poll(() => neighborsOf(router), patient).toEqual([site.ipOf('n1')])
    })

    it('1.3: a router that stands still is given up, and its session comes again when it goes on', async () => {
      const name = await site.speakerOn('n1')
      const isUp = () => site.metric('n1', 'metallb_bgp_session_up', `peer="${routers[0]}:179"`)
      const losses = () =>
        lab.pods
          .logs(system, name, 'speaker')
          .split('\n')
          .filter((line) => line.includes('"event":"sessionDown"'))
          .map((line): SessionLine => JSON.parse(line))
      await expect.poll(isUp, patient).toBe(1)
      const before = losses().length
      lab.signalDaemon(`${lab.routers[0]?.name}-bgpd`, 'SIGSTOP')
      const stoppedMs = Date.now()
      try {
        await expect.poll(() => losses().length, patient).toBe(before + 1)
        await expect.poll(isUp, patient).toBe(0)
      } finally {
        lab.signalDaemon(`${lab.routers[0]?.name}-bgpd`, 'SIGCONT')
      }
      const [loss] = losses().slice(-1)
      expect(loss).toMatchObject({ peer: `${routers[0]}:179`, reason: 'holdTimerExpired' })
      const lostMs = Date.parse(loss?.ts ?? '')
      tookAtMost(holdMs + lateMs, lostMs - stoppedMs, '1.3: a speaker says that its router is frozen')
      await expect.poll(isUp, patient).toBe(1)
      await expect.poll(() => neighborsOf(lab.routers[0]), patient).toEqual([site.ipOf('n1')])
    })

    it('1.6: a node whose link is cut is no next hop, the other one stays, until it is back', async () => {
      const hops = () => Promise.all(lab.routers.map((one) => nextHops(one, '147.75.40.46/32')))
      await expect.poll(hops, patient).toEqual([[site.ipOf('n1')], [site.ipOf('n2')]])
      await lab.node('n1').cut({ silent: true })
      await expect
        .poll(hops, patient)
        .toEqual([[], [site.ipOf('n2')]])
        .finally(() => lab.node('n1').restore())
      await expect.poll(hops, patient).toEqual([[site.ipOf('n1')], [site.ipOf('n2')]])
    })
  })
})
