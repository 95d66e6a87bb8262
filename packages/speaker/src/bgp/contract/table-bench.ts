/**
 * How long a router takes to hold a table of 100,000 prefixes: from our speaker, and from BIRD with the table loaded
 * before. From the router's word that the session is up to its word that all are there. Prints a line each.
 */
import { readFileSync } from 'node:fs'
import { missingFor, PeerLab } from '../testing/peer-lab.ts'
import { until } from '../testing/until.ts'

type Router = 'frr' | 'bird' | 'gobgp'
type Sender = 'landfall' | 'bird'

const address = '10.77.0.11'
const limitMs = 120_000

const configurations: Readonly<Record<Router, string>> = {
  frr: `router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 neighbor ${address} remote-as 65000
 neighbor ${address} passive
`,
  bird: `router id 10.77.0.1;
protocol device {}
protocol bgp one { local as 65530; passive on; neighbor ${address} as 65000; direct; ipv4 { import all; export none; }; }
`,
  gobgp: `[global.config]
  as = 65530
  router-id = "10.77.0.1"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = 65000
  [neighbors.transport.config]
    passive-mode = true
`,
}

const prefixes = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `10.${128 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`)

async function measure(router: Router, sender: Sender, count: number): Promise<void> {
  const lab = new PeerLab(1)
  try {
    const configuration = configurations[router]
    if (router === 'frr') await lab.startFrr(configuration)
    else if (router === 'bird') await lab.startBird(configuration)
    else await lab.startGobgp(configuration)
    const memory = sender === 'landfall' ? startSpeaker(lab, count) : await startBird(lab, count)
    await until('the session', () => isUp(lab, router), limitMs)
    const start = performance.now()
    await until('all of them', () => held(lab, router) >= count, limitMs)
    const ms = (performance.now() - start).toFixed(0)
    process.stdout.write(`${count} from ${sender} to ${router}: ${ms} ms${memory()}\n`)
  } finally {
    await lab.close()
  }
}

/** Gives what it costs, once asked. */
function startSpeaker(lab: PeerLab, count: number): () => string {
  const speaker = lab.startSpeaker(1)
  const routes = prefixes(count).map((prefix) => ({ prefix, communities: [] }))
  const peer = { name: 'router', address: '10.77.0.1', sourceAddress: address, port: 179 } as const
  const as = { myASN: 65000, peerASN: 65530, holdTimeSeconds: 90, ebgpMultiHop: false }
  speaker.apply({ peers: [{ ...peer, ...as, routes }] })
  return () => {
    const status = readFileSync(`/proc/${speaker.process.pid}/status`, 'utf8')
    const stat = readFileSync(`/proc/${speaker.process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const mib = (name: string) =>
      Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
    const cpu = (Number(stat[11]) + Number(stat[12])) / 100
    return `, speaker ${mib('VmRSS')} MiB (peak ${mib('VmHWM')}), ${cpu.toFixed(2)} s of CPU since its start`
  }
}

async function startBird(lab: PeerLab, count: number): Promise<() => string> {
  const routes = prefixes(count).map((prefix) => `route ${prefix} blackhole;`)
  await lab.startBird(
    `router id ${address};
protocol device {}
protocol static { ipv4; ${routes.join(' ')} }
protocol bgp upstream { local ${address} as 65000; neighbor 10.77.0.1 as 65530; direct;
  connect delay time 2; ipv4 { import none; export all; next hop self; }; }
`,
    'n1',
  )
  return () => ''
}

function isUp(lab: PeerLab, router: Router): boolean {
  if (router === 'frr') return lab.vtysh(`show bgp neighbor ${address}`).includes('BGP state = Established')
  if (router === 'bird') return /Established/.test(lab.birdc('show protocols one'))
  return /BGP state = \w*ESTABLISHED/.test(lab.gobgp('neighbor', address))
}

function held(lab: PeerLab, router: Router): number {
  const text =
    router === 'frr'
      ? /"pfxRcd":(\d+)/.exec(lab.vtysh('show bgp ipv4 unicast summary json'))?.[1]
      : router === 'bird'
        ? /(\d+) of \d+ routes/.exec(lab.birdc('show route count'))?.[1]
        : /Destination: (\d+)/.exec(lab.gobgp('global', 'rib', 'summary'))?.[1]
  return Number(text ?? 0)
}

for (const router of ['frr', 'bird', 'gobgp'] as const) {
  const why = missingFor(router) ?? missingFor('bird')
  if (why !== undefined) process.stdout.write(`${router}: ${why}\n`)
  else for (const sender of ['landfall', 'bird'] as const) await measure(router, sender, 100_000)
}
if (missingFor('bird') === undefined) await measure('bird', 'landfall', 5000)
