/**
 * A graceful restart beside BFD (RFC 5882 §4.3): BFD goes with the speaker, whose C bit says so, and its end says nothing
 * of the path to a router that heeds the bit.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab } from './testing/peer-lab.ts'
import { peerText, routeText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

/** A machine that is busy keeps nobody from being heard for so long. */
const detectionMs = 2000
const bfd = {
  transmitMs: 400,
  receiveMs: 400,
  multiplier: 5,
  passive: false,
  echoMs: undefined,
  minimumTtl: 254,
} as const
const address = '10.77.0.11'
const peer = peerText({
  sourceAddress: address,
  bfd,
  gracefulRestart: true,
  routes: [routeText('10.99.0.1/32')],
})

const frr = `
bfd
 profile patient
  detect-multiplier 5
  receive-interval 400
  transmit-interval 400
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 bgp graceful-restart stalepath-time 30
 neighbor ${address} remote-as 65000
 neighbor ${address} passive
 neighbor ${address} graceful-restart-helper
 neighbor ${address} bfd
 neighbor ${address} bfd profile patient
 neighbor ${address} bfd check-control-plane-failure
 neighbor 10.77.0.21 remote-as 65000
 neighbor 10.77.0.21 passive
 neighbor 10.77.0.21 graceful-restart
 neighbor 10.77.0.21 bfd
 neighbor 10.77.0.21 bfd profile patient
`
const bird = `
router id 10.77.0.1;
protocol device {}
protocol direct { ipv4; }
protocol kernel { ipv4 { export all; }; }
protocol bfd { interface "br0" { min rx interval 400 ms; min tx interval 400 ms; multiplier 5; }; }
protocol bgp near {
  local as 65530; passive on; bfd graceful; graceful restart aware; neighbor ${address} as 65000; direct;
  ipv4 { import all; export none; };
}
`

/** How often the route was not there meanwhile, and how often the new session fell. */
async function restart(lab: PeerLab): Promise<{ readonly missed: number; readonly downs: number }> {
  const first = lab.startSpeaker(1)
  first.apply({ peers: [peer] })
  await until('the route', () => lab.kernelRoute('10.99.0.1') !== '')
  await until('BFD', () => first.events('bfd').at(-1)?.['state'] === 'up')
  let missed = 0
  const watch = setInterval(() => {
    if (lab.kernelRoute('10.99.0.1') === '') missed++
  }, 20)
  onTestFinished(() => clearInterval(watch))
  first.restart()
  await first.ended()
  await sleep(1.5 * detectionMs)
  const second = lab.startSpeaker(1)
  second.apply({ peers: [peer] })
  await until('the session', () => second.events('sessionUp').length === 1)
  await until('BFD again', () => second.events('bfd').at(-1)?.['state'] === 'up')
  clearInterval(watch)
  const downs = second.events('sessionDown').length
  await second.stop()
  await until('gone', () => lab.kernelRoute('10.99.0.1') === '')
  return { missed, downs }
}

describeWith('a restart beside BFD, with', 'frr', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(1)
    await lab.startFrr(frr)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  test('that checks for failures of the control plane: the routes stay', async () => {
    expect(await restart(lab)).toEqual({ missed: 0, downs: 0 })
  })

  test.each([[['bgpd']], [['bgpd', 'bfdd']]] as const)(
    'whose %j is killed and comes again: the session that is back stays, though BFD went with it',
    async (daemons) => {
      const speaker = lab.startSpeaker(1)
      speaker.apply({ peers: [{ ...peer, sourceAddress: '10.77.0.21' }] })
      const states = () => speaker.events('bfd').map(({ state }) => state)
      await until('BFD', () => states().at(-1) === 'up')
      for (const daemon of daemons) await lab.end(daemon)
      for (const daemon of daemons) await lab.startFrrDaemon(daemon)
      await until('the session', () => speaker.events('sessionUp').length === 2)
      await until('BFD again', () => /down.*up$/.test(states().slice(states().indexOf('up')).join()))
      await sleep(1.5 * detectionMs)
      expect(speaker.events('sessionDown')).toHaveLength(1)
      expect(states().at(-1)).toBe('up')
      await speaker.stop()
    },
  )
})

describeWith('a restart beside BFD, with', 'bird', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(1)
    await lab.startBird(bird)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  test('that takes BFD gracefully: the routes stay', async () => {
    expect(await restart(lab)).toEqual({ missed: 0, downs: 0 })
  })

  test('that crashes: the session that is back stays, though BFD ended with BIRD', async () => {
    const crashing = bird.replace('restart aware', 'restart on')
    await lab.end('bird')
    await lab.startBird(crashing)
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [peer] })
    const states = () => speaker.events('bfd').map(({ state }) => state)
    await until('BFD', () => states().at(-1) === 'up')
    await lab.end('bird')
    await lab.startBird(crashing)
    await until('BFD again', () => /down.*up$/.test(states().slice(states().indexOf('up')).join()))
    await until('the session', () => speaker.events('sessionUp').length === 2)
    expect(speaker.events('sessionDown')).toHaveLength(1)
    await speaker.stop()
  })
})
