/** What can fall, one at a time, and what a steady load from both sides of the routers loses by it. */
import { applyExample, externalAddresses } from '../demo/installation.ts'
import type { KubernetesObject, Lab, LabHost } from '../lab/index.ts'
import { silenceMs, watchArp } from '../load/arp-watch.ts'
import { gapMs, type LoadResult, type RunningLoad, startLoad } from '../load/load.ts'
import { watchRoute } from '../load/route-watch.ts'
import {
  announcedEnvoy,
  announcingSpeaker,
  freshTarget,
  leadingContour,
  leadingController,
  type Target,
  targetRuns,
} from './targets.ts'

export interface Outage {
  readonly name: 'speaker' | 'controller' | 'serve' | 'envoy' | 'apiserver'
  readonly what: string
  /** Chooses whom it hits; `strike` hits, and resolves when that is there again. */
  prepare(lab: Lab, ipv4: string): Promise<{ readonly victim: string; readonly strike: () => Promise<void> }>
}

export interface Share {
  readonly from: string
  readonly address: string
  readonly result: LoadResult
  readonly gapMs: number
}

export interface Measured {
  readonly outage: Outage['name']
  readonly victim: string
  readonly shares: readonly Share[]
  /** How long nobody answered ARP; undefined when it stayed silent. */
  readonly arpMs: number | undefined
  /** How often a router had no route to the address. */
  readonly routesLost: number
  /** MAC addresses that answered for the address, in order. */
  readonly macs: readonly string[]
  /** The addresses of every Service, before and after. */
  readonly before: Addresses
  readonly after: Addresses
}

export type Addresses = Readonly<Record<string, readonly string[]>>

const apiServerAwayMs = 10_000
const quietMs = 3000

export const outages: readonly Outage[] = [
  killing('speaker', 'the speaker that announces', announcingSpeaker),
  killing('controller', 'the controller', leadingController),
  killing('serve', 'the leading serve', leadingContour),
  killing('envoy', 'the Envoy of the node that announces', announcedEnvoy),
  {
    name: 'apiserver',
    what: 'the API server, away for 10 s',
    prepare: async (lab) => ({
      victim: 'kube-apiserver',
      strike: async () => {
        await lab.killDaemon('kube-apiserver')
        await new Promise((resolve) => setTimeout(resolve, apiServerAwayMs))
        await lab.startDaemon('kube-apiserver')
      },
    }),
  },
]

function killing(
  name: Outage['name'],
  what: string,
  pick: (lab: Lab, ipv4: string) => Promise<Target>,
): Outage {
  return {
    name,
    what,
    prepare: async (lab, ipv4) => {
      const target = await freshTarget(lab, () => pick(lab, ipv4))
      const { namespace, pod, container, node } = target
      return {
        victim: `${pod} on ${node}`,
        strike: async () => {
          lab.pods.kill(namespace, pod, container, 'SIGKILL')
          const back = () => targetRuns(lab, target)
          await lab.waitFor(`${namespace}/${pod} to be ready again`, back, { timeoutMs: 60_000 })
        },
      }
    },
  }
}

/** 50 requests a second from each of both clients; the outage; and on until all is well again. */
export async function measure(
  lab: Lab,
  outage: Outage,
  o: { readonly note?: (text: string) => void } = {},
): Promise<Measured> {
  const { ipv4 } = await externalAddresses(lab, 'envoy', 'projectcontour')
  o.note?.('choosing')
  const { victim, strike } = await outage.prepare(lab, ipv4)
  const before = await balancerAddresses(lab)
  o.note?.('load before')
  await calm(lab, ipv4)
  const arp = watchArp(lab.client, ipv4)
  const routes = lab.routers.map((router) => watchRoute(router, ipv4))
  const loads = exampleClients(lab).map(({ from, host }) => loadOn(from, ipv4, host))
  let results: readonly LoadResult[] = []
  let struck = performance.now()
  try {
    for (const load of loads) {
      await lab.waitFor(`answers to ${load.from}`, () => load.tally().answered >= 50)
    }
    struck = performance.now()
    o.note?.(`without ${victim}`)
    await strike()
    o.note?.('load after')
    await quiet(lab, loads)
  } finally {
    results = await Promise.all(loads.map((load) => load.stop()))
    await Promise.all([arp, ...routes].map((watch) => watch.stop()))
  }
  return {
    outage: outage.name,
    victim,
    shares: results.map((result, index) => ({
      from: loads[index]?.from ?? '',
      address: ipv4,
      result,
      gapMs: gapMs(result),
    })),
    arpMs: silenceMs(arp.answers, struck),
    routesLost: routes.reduce((sum, route) => sum + route.losses(), 0),
    macs: runs(arp.answers.map(({ mac }) => mac)),
    before,
    after: await balancerAddresses(lab),
  }
}

/** Each client with the host of the example that it asks for: by way of an Ingress, and of an HTTPProxy. */
export function exampleClients(lab: Lab): readonly { readonly from: LabHost; readonly host: string }[] {
  return [
    { from: lab.client, host: 'hello.example.com' },
    { from: lab.client2, host: 'world.example.com' },
  ]
}

/** The example on the lab, answering each client. */
export async function provideExample(lab: Lab): Promise<void> {
  const going = 'jsonpath={.metadata.deletionTimestamp}'
  const goingSince = () => lab.kubectl(['get', 'namespace', 'hello', '--ignore-not-found', '-o', going])
  const gone = async () => (await goingSince()) === ''
  await lab.waitFor('the example of an earlier run to be gone', gone, { timeoutMs: 90_000 })
  await applyExample(lab)
  const { ipv4 } = await externalAddresses(lab, 'envoy', 'projectcontour')
  for (const { from, host } of exampleClients(lab)) {
    const answered = async () =>
      (await from.curl(`http://${ipv4}/`, { host, timeoutMs: 2000 })).status === 200
    await lab.waitFor(`${host} to answer ${from.name}`, answered, { timeoutMs: 60_000 })
  }
}

function loadOn(from: LabHost, address: string, host: string): RunningLoad {
  return startLoad(from, { address, host, perSecond: 50, timeoutMs: 2000, lateMs: 500 })
}

/** What the choice of a victim brought about is over. */
async function calm(lab: Lab, address: string): Promise<void> {
  const loads = exampleClients(lab).map(({ from, host }) => loadOn(from, address, host))
  try {
    await quiet(lab, loads)
  } finally {
    await Promise.all(loads.map((load) => load.stop()))
  }
}

/** All answered in time for a while, from now on. */
async function quiet(lab: Lab, loads: readonly RunningLoad[]): Promise<void> {
  const since = performance.now()
  for (const load of loads) {
    const steady = () => {
      const { answered, quietMs: calmMs } = load.tally()
      return answered > 0 && Math.min(calmMs, performance.now() - since) >= quietMs
    }
    await lab.waitFor(`steady answers to ${load.from}`, steady, { timeoutMs: 60_000 })
  }
}

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

/** Of every Service that has some. */
export async function balancerAddresses(lab: Lab): Promise<Addresses> {
  const services = await lab.list<ServiceObject>('services')
  const entries = services.map(({ metadata, status }): readonly [string, readonly string[]] => [
    `${metadata.namespace}/${metadata.name}`,
    (status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip),
  ])
  return Object.fromEntries(entries.filter(([, ips]) => ips.length > 0))
}

/** Each value once for every stretch of it. */
function runs(values: readonly string[]): readonly string[] {
  return values.filter((value, index) => value !== values[index - 1])
}
