import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { BfdCounts } from '../bfd/index.ts'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab } from './testing/peer-lab.ts'
import { type PeerText, peerText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

const configuration = `
router id 10.77.0.1;
protocol device {}
protocol bfd {
  interface "br0" { min rx interval 200 ms; min tx interval 200 ms; multiplier 20; };
  multihop { interval 200 ms; multiplier 20; };
}
template bgp node {
  local as 65530;
  passive on;
  bfd on;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
protocol bgp near from node { neighbor 10.77.0.11 as 65000; direct; }
protocol bgp near6 from node { neighbor fd77::11 as 65000; direct; }
protocol bgp active from node { neighbor 10.77.0.31 as 65000; direct; }
protocol bgp waiting from node { neighbor 10.77.0.41 as 65000; direct; bfd { passive yes; }; }
protocol bgp far from node { local 10.77.0.1 as 65530; neighbor 10.77.0.21 as 65000; multihop 5; }
`

/** BIRD sends over several hops with a TTL of 64. */
const bfd = {
  transmitMs: 200,
  receiveMs: 200,
  multiplier: 20,
  passive: false,
  echoMs: undefined,
  minimumTtl: 60,
} as const
const peer = (more: Partial<PeerText>): PeerText => peerText({ name: 'bird', bfd, ...more })

describeWith('with', 'bird', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(1)
    await lab.startBird(configuration)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  test.each([
    ['near', peer({ sourceAddress: '10.77.0.11' })],
    ['near6', peer({ address: 'fd77::1', sourceAddress: 'fd77::11' })],
    ['active', peer({ sourceAddress: '10.77.0.31', bfd: { ...bfd, passive: true } })],
    ['waiting', peer({ sourceAddress: '10.77.0.41' })],
    ['far', peer({ sourceAddress: '10.77.0.21', ebgpMultiHop: true })],
  ])('%s: up on both sides, and a speaker that stops is no failure', async (protocol, plan) => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [plan] })
    await until('BFD here', () => speaker.events('bfd').some(({ state }) => state === 'up'))
    await until('BFD there', () =>
      new RegExp(`^${plan.sourceAddress} .* Up `, 'm').test(lab.birdc('show bfd sessions')),
    )
    await expect.poll(() => lab.birdc(`show protocols ${protocol}`)).toMatch(/Established/)
    expect(speaker.events('sessionDown')).toEqual([])
    await speaker.stop()
    await until('BGP down there', () => !lab.birdc(`show protocols ${protocol}`).includes('Established'))
    expect(lab.birdc(`show protocols ${protocol}`)).toMatch(/Received: Administrative shutdown/)
  })
  test('echoes are not sent to BIRD, which takes none', async () => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [peer({ sourceAddress: '10.77.0.11', bfd: { ...bfd, echoMs: 200 } })] })
    await until('BFD here', () => speaker.events('bfd').some(({ state }) => state === 'up'))
    const counted = () =>
      speaker.events('bfdCounts').flatMap(({ bird }) => (bird === undefined ? [] : (bird as BfdCounts)))
    const sent = (what: 'controlOut' | 'echoOut') => counted().reduce((sum, one) => sum + one[what], 0)
    await until('packets', () => sent('controlOut') > 20)
    expect([sent('echoOut'), speaker.events('sessionDown')]).toEqual([0, []])
    await speaker.stop()
  })
})
