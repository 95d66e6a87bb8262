/**
 * No field is taken and left aside: each of BGPPeer, BGPAdvertisement, BFDProfile and Community, by its schema, is seen on
 * the wire by a router on loopback, or in why there is no session. What is refused instead is tried in `metallb`.
 *
 * Objects → plan → sessions and BFD as they run; the clock alone is ours.
 */
import { metallbResources } from '@landfall/api/crd'
import type { Interface } from '@landfall/net'
import { type IP, parseIP } from '@landfall/netip'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BfdEngine } from './bfd/index.ts'
import { BgpSpeaker } from './bgp/index.ts'
import { type RouterOptions, WatchingRouter } from './bgp/testing/watching-router.ts'
import { Planner } from './plan/planner.ts'
import { type Written, worldOf } from './plan/testing.ts'
import { annotations, other, own, type Row, router, rows, type Site } from './testdata/fields.ts'

const pools = ['10.0.0.0/24', '2001:db8::/64']

const kinds = {
  peer: 'BGPPeer',
  advertisement: 'BGPAdvertisement',
  profile: 'BFDProfile',
  community: 'Community',
} as const

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe.each(['peer', 'advertisement', 'profile', 'community'] as const)(
  'of each field of the %s',
  (part) => {
    test('there is a row', () => {
      const resource = metallbResources.find(({ kind }) => kind === kinds[part])
      const fields = resource?.versions.find(({ name }) => name === resource.version)?.spec.properties
      expect(Object.keys(rows[part]).toSorted()).toEqual(Object.keys(fields ?? {}).toSorted())
    })

    test.each(Object.entries(rows[part]))('%s is seen', async (_field, row) => {
      const change = (site: Site) => ({ ...site, [part]: { ...site[part], ...row.is } })
      expect(await compared(row, change)).toEqual(wantedOf(row))
    })
  },
)

test.each(Object.entries(annotations))('the annotation %s of a peer is seen', async (_name, row) => {
  const change = (site: Site) => ({ ...site, annotations: { ...site.annotations, ...row.is } })
  expect(await compared(row, change)).toEqual(wantedOf(row))
})

interface Compared {
  readonly shown: readonly string[]
  readonly hidden: readonly string[]
  /** On the wrong side. */
  readonly astray: readonly string[]
}

function wantedOf({ shows = [], hides = [] }: Row): Compared {
  return { shown: shows, hidden: hides, astray: shows.length + hides.length > 0 ? [] : ['nothing is wanted'] }
}

async function compared(row: Row, change: (site: Site) => Site): Promise<Compared> {
  const { beside = {}, shows = [], hides = [], seconds = 2 } = row
  const plain: Site = {
    peer: {
      myASN: 64500,
      peerASN: 64501,
      peerAddress: router,
      peerPort: 1,
      sourceAddress: own,
      bfdProfile: 'profile',
      dualStackAddressFamily: true,
      ...beside.peer,
    },
    annotations: {},
    advertisement: { communities: ['alias'] },
    profile: { echoMode: true, ...beside.profile },
    community: { communities: [{ name: 'alias', value: '64500:1' }] },
  }
  const without = await seenOf(plain, row.router, seconds, hides)
  const withIt = await seenOf(change(plain), row.router, seconds, shows)
  return {
    shown: shows.filter((line) => withIt.has(line)),
    hidden: hides.filter((line) => without.has(line)),
    astray: [...shows.filter((line) => without.has(line)), ...hides.filter((line) => withIt.has(line))],
  }
}

/** What the router has seen when so much time has passed, and what it has to have seen. */
async function seenOf(
  site: Site,
  more: Partial<RouterOptions> | undefined,
  seconds: number,
  wanted: readonly string[],
): Promise<ReadonlySet<string>> {
  const watching = await WatchingRouter.start({ asn: 64501, address: ip(router), client: ip(own), ...more })
  const bfd = new BfdEngine((message) => speaker.observedBfd(message))
  const speaker = new BgpSpeaker({
    logger: silentLogger(),
    metrics: new Metrics('test'),
    nodeName: 'n1',
    interfaces: () => interfaces,
    bfd: (message) => bfd.handle(message),
  })
  try {
    const plan = new Planner().plan(worldOf('n1', objectsOf(site))).bgp
    const ports = plan.peers.map((peer) => ({ ...peer, port: watching.port(peer.port === 2 ? 2 : 1) }))
    speaker.apply({ ...plan, peers: ports })
    for (let passed = 0; passed < seconds * 1000; ) {
      const ms = (await settled(speaker)) ? 50 : 500
      vi.advanceTimersByTime(ms)
      passed += ms
    }
    await settled(speaker)
    const all = () => new Set([...watching.seen, ...saidOf(speaker), ...timesOf(watching)])
    for (let left = 1000; left > 0 && !wanted.every((line) => all().has(line)); left--) {
      vi.advanceTimersByTime(5)
      await turns()
    }
    return all()
  } finally {
    await Promise.all([speaker.stop(), bfd.stop(), watching.close()])
  }
}

function saidOf(speaker: BgpSpeaker): readonly string[] {
  const sessions = speaker.status()
  if (sessions.length === 0) return ['no peer']
  return sessions.flatMap(({ state, lastEnding }) =>
    state === 'established' ? [] : [`no session: ${lastEnding?.reason ?? state}`],
  )
}

function timesOf({ dialled }: WatchingRouter): readonly string[] {
  return dialled > 10 ? ['dialled more than 10 times'] : []
}

/** Whether nothing is under way any more; a router that says nothing is not waited for. */
async function settled(speaker: BgpSpeaker): Promise<boolean> {
  const underWay = () => speaker.status().some(({ state }) => /^(connect|openSent|openConfirm)$/.test(state))
  const until = Date.now() + 300
  do await turns()
  while (underWay() && Date.now() < until)
  return !underWay()
}

/** Of the event loop, enough for a word and its answer over loopback. */
async function turns(): Promise<void> {
  for (let left = 8; left > 0; left--) await new Promise((resolve) => setImmediate(resolve))
}

function ip(text: string | undefined): IP {
  return parseIP(text ?? '') ?? expect.unreachable(text)
}

function link(index: number, name: string, ...addresses: readonly (string | undefined)[]): Interface {
  const flags = { ethernet: true, up: true, running: true, broadcast: true, loopback: false, noArp: false }
  const all = addresses.map((text) => ({
    ip: ip(text),
    prefixLength: 24,
    tentative: false,
    duplicate: false,
  }))
  return { index, name, mac: new Uint8Array(6), carrierUps: 1, master: 0, ...flags, addresses: all }
}
const interfaces = [link(71, 'eth6', own, '2001:db8:1::1'), link(72, 'eth7', other)]

function objectsOf({ peer, annotations, advertisement, profile, community }: Site): readonly Written[] {
  const ingress = [{ ip: '10.0.0.1' }, { ip: '2001:db8::1' }]
  return [
    { kind: 'Node', metadata: { name: 'n1', labels: { rack: 'one' } } },
    {
      kind: 'IPAddressPool',
      metadata: { name: 'pool', labels: { kind: 'own' } },
      spec: { addresses: pools },
    },
    { kind: 'BGPPeer', metadata: { name: 'peer', annotations }, spec: peer },
    { kind: 'BGPAdvertisement', metadata: { name: 'all' }, spec: advertisement },
    { kind: 'BFDProfile', metadata: { name: 'profile' }, spec: profile },
    { kind: 'Community', metadata: { name: 'aliases' }, spec: community },
    {
      kind: 'Secret',
      metadata: { name: 'secret' },
      spec: { type: 'kubernetes.io/basic-auth', data: { password: new TextEncoder().encode('secret') } },
    },
    { kind: 'Service', metadata: { name: 'web', labels: { app: 'web' } }, spec: { ingress } },
    {
      kind: 'EndpointSlice',
      metadata: { name: 'web' },
      spec: { serviceName: 'web', endpoints: [{ ready: true, serving: true, nodeName: 'n1' }] },
    },
  ]
}
