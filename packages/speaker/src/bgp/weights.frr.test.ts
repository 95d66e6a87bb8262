/** Routes that say how much their nodes take, on a router that spreads by it. */
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab } from './testing/peer-lab.ts'
import { peerText, routeText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

const prefix = '10.99.7.1/32'
const configuration = `
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 neighbor 10.77.0.11 remote-as 65000
 neighbor 10.77.0.11 passive
 neighbor 10.77.0.12 remote-as 65000
 neighbor 10.77.0.12 passive
`
const flows = 2000

describeWith('with', 'frr', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(2)
    await lab.startFrr(configuration)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  /** Of so many connections, how many would go to each node. */
  async function spread(): Promise<readonly number[]> {
    await once(lab.spawn('r', 'sysctl', ['-q', '-w', 'net.ipv4.fib_multipath_hash_policy=1']), 'exit')
    const child = lab.spawn('r', 'ip', ['-batch', '-'])
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ask = (i: number) => `route get 10.99.7.1 ipproto tcp sport ${10_000 + i} dport 80\n`
    child.stdin?.end(Array.from({ length: flows }, (_, i) => ask(i)).join(''))
    await once(child, 'close')
    return ['10.77.0.11', '10.77.0.12'].map((node) => text.split(`via ${node} `).length - 1)
  }

  test('three endpoints get three times what one gets, until there are as many', async () => {
    const [one, other] = [lab.startSpeaker(1), lab.startSpeaker(2)]
    const announce = (first: number, second: number) => {
      for (const [speaker, sourceAddress, weight] of [
        [one, '10.77.0.11', first],
        [other, '10.77.0.12', second],
      ] as const)
        speaker.apply({
          peers: [
            peerText({ sourceAddress, routes: [routeText(prefix, { bandwidth: weight * 125_000_000 })] }),
          ],
        })
    }
    announce(1, 3)
    const weights = () =>
      [...lab.kernelRoute('10.99.7.1').matchAll(/weight (\d+)/g)].map(([, w]) => Number(w))
    await until('both', () => weights().length === 2)
    await until('the weights', () => Math.max(...weights()) / Math.min(...weights()) === 3)
    const [few = 0, many = 0] = await spread()
    expect(few + many).toBe(flows)
    expect(many / few).toBeGreaterThan(2)
    expect(many / few).toBeLessThan(4.5)
    announce(2, 2)
    await until('the same weight', () => new Set(weights()).size === 1 && weights().length === 2)
    await one.stop()
    await other.stop()
  })
})
