/**
 * What speakers say in their metrics. How many prefixes a session carries, which they report once a minute at most; and all
 * else where they cannot report: beside manifests of an older MetalLB the kinds for it are not installed, or not granted.
 * Then nobody says why something is not announced, or a session down.
 */
import type { BGPSessionStatus, ServiceBGPStatus, ServiceL2Status } from '@landfall/api'
import type { Cluster } from '@landfall/kube'
import { emptyMeta, type Key, keyOf, splitKey } from '@landfall/kube/model'
import { sessionKey } from '../facts/announcers.ts'
import { configOf } from '../facts/configuration.ts'
import { peerFacts } from '../facts/peers.ts'
import type { Observed, PodFacts } from '../observed.ts'
import { podsOf } from '../status/programs.ts'
import { type PageReading, readPages } from './pages.ts'
import { type Sample, samplesOf } from './samples.ts'

const usualPort = 7472
/** As speakers name in their metrics the tables of routes that are no VRF's. */
const defaultVrf = 'default'
const announcedPrefixes = 'metallb_bgp_announced_prefixes_total'
const reportKinds = ['layer2Reports', 'bgpReports', 'sessions'] as const

type ReportKind = (typeof reportKinds)[number]

function lacking(observed: Observed): readonly ReportKind[] {
  const { layer2Reports, bgpReports, services } = observed
  const hasAddress = services.items.some(({ type, ingress }) => type === 'LoadBalancer' && ingress.length > 0)
  // There is a report of each Service with an address, be it that nobody announces it.
  const silent = hasAddress && layer2Reports.items.length + bgpReports.items.length === 0
  return reportKinds.filter((kind) => {
    const { gap, items } = observed[kind]
    return gap === undefined ? silent && items.length === 0 : gap.why === 'notInstalled'
  })
}

/** Asks nobody where reports can be read and no session is up. */
export async function readSpeakers(
  cluster: Cluster,
  observed: Observed,
): Promise<ReadonlyMap<Key, PageReading>> {
  if (lacking(observed).length === 0 && !observed.sessions.items.some(isUp)) return new Map()
  const pageOf = (pod: PodFacts) => ({ port: portOf(pod), path: 'metrics', query: {}, secure: false })
  return await readPages(cluster, podsOf(observed, 'speaker'), pageOf)
}

function portOf({ arguments: all }: PodFacts): number {
  const [port = usualPort] = all.flatMap((one) => /^--?port=(\d+)$/.exec(one)?.[1] ?? [])
  return Number(port)
}

/** The same with what the speakers said: of prefixes, and in place of the reports that there cannot be. */
export function withSpeakers(observed: Observed, pages: ReadonlyMap<Key, PageReading>): Observed {
  return counted(inPlaceOfReports(observed, pages), pages)
}

function isUp({ status }: BGPSessionStatus): boolean {
  return status?.bgpStatus === 'Established'
}

function counted(observed: Observed, pages: ReadonlyMap<Key, PageReading>): Observed {
  const numbers = new Map<string, number>()
  for (const pod of podsOf(observed, 'speaker')) {
    const page = pages.get(keyOf(pod.meta))
    if (page?.kind !== 'text') continue
    for (const { name, labels, value } of samplesOf(page.text))
      if (name === announcedPrefixes)
        numbers.set(`${pod.nodeName} ${labels['peer']} ${labels['vrf'] ?? defaultVrf}`, value)
  }
  const known = new Set<string>()
  const items = observed.sessions.items.map((one) => {
    const { status = {} } = one
    const prefixes = numbers.get(`${status.node} ${status.address} ${status.vrf ?? defaultVrf}`)
    if (prefixes === undefined || !isUp(one)) return one
    known.add(sessionKey(status))
    return { ...one, status: { ...status, prefixes } }
  })
  return { ...observed, sessions: { ...observed.sessions, items }, counted: known }
}

function inPlaceOfReports(observed: Observed, pages: ReadonlyMap<Key, PageReading>): Observed {
  const speakers = podsOf(observed, 'speaker').filter(({ ready }) => ready)
  const kinds = lacking(observed)
  if (kinds.length === 0 || speakers.length === 0) return observed
  const said = speakers.flatMap((pod) => {
    const page = pages.get(keyOf(pod.meta))
    return page?.kind === 'text' ? [saidOf(observed, pod.nodeName, samplesOf(page.text))] : []
  })
  const [why = 'they were not asked'] = [...pages.values()].flatMap((one) =>
    one.kind === 'unreadable' ? one.why : [],
  )
  const whole = said.length === speakers.length
  const gap = { why: 'failed', message: `speakers: ${why}` } as const
  const isGap = !whole && kinds.some((kind) => observed[kind].gap !== undefined)
  const read = <K extends ReportKind>(kind: K, items: Observed[K]['items']) => {
    if (!kinds.includes(kind)) return observed[kind]
    if (whole) return { items }
    return observed[kind].gap === undefined ? observed[kind] : { items, gap }
  }
  return {
    ...observed,
    gaps: isGap
      ? new Map([...observed.gaps, ['metrics of speakers', { ...gap, message: why }]])
      : observed.gaps,
    layer2Reports: read(
      'layer2Reports',
      said.flatMap(({ layer2 }) => layer2),
    ),
    bgpReports: read(
      'bgpReports',
      said.flatMap(({ bgp }) => bgp),
    ),
    sessions: read(
      'sessions',
      said.flatMap(({ sessions }) => sessions),
    ),
  }
}

interface Said {
  readonly layer2: readonly ServiceL2Status[]
  readonly bgp: readonly ServiceBGPStatus[]
  readonly sessions: readonly BGPSessionStatus[]
}

function saidOf(observed: Observed, node: string, samples: readonly Sample[]): Said {
  const meta = { ...emptyMeta, namespace: observed.places.system }
  const sessions = samples
    .filter(({ name }) => name === 'metallb_bgp_session_up')
    .map(({ labels: { peer: address = '' }, value }) => {
      const prefixes = samples.find(
        ({ name, labels }) => name === announcedPrefixes && labels['peer'] === address,
      )
      const up = value > 0
      const bgpStatus = up ? ('Established' as const) : ('Down' as const)
      const peer = nameOf(observed, node, address)
      return { meta, status: { node, peer, address, bgpStatus, prefixes: up ? (prefixes?.value ?? 0) : 0 } }
    })
  const peers = sessions.map(({ status }) => status.peer)
  const announced = (protocol: string) =>
    new Set(
      samples
        .filter(({ name, labels, value }) => isAnnounced(name, value) && labels['protocol'] === protocol)
        .map(({ labels }) => labels['service'] ?? ''),
    )
  const reports = (protocol: string) =>
    [...announced(protocol)].map((key) => {
      const { namespace: serviceNamespace, name: serviceName } = splitKey(key)
      return { meta, status: { node, serviceName, serviceNamespace } }
    })
  return {
    layer2: reports('layer2'),
    bgp: reports('bgp').map(({ status }) => ({ meta, status: { ...status, peers } })),
    sessions,
  }
}

function isAnnounced(name: string, value: number): boolean {
  return name === 'metallb_speaker_announced' && value > 0
}

/** Metrics have the address alone. */
function nameOf(observed: Observed, node: string, address: string): string {
  const isIt = ({ name, spec }: ReturnType<typeof peerFacts>[number]) => {
    const { peerAddress = '', peerPort = 179 } = spec
    const text = peerAddress.includes(':') ? `[${peerAddress}]` : peerAddress
    return `${text}:${peerPort}` === address && isOf(observed, node, name)
  }
  return peerFacts(observed).find(isIt)?.name ?? address
}

function isOf(observed: Observed, node: string, peer: string): boolean {
  return configOf(observed).peers.some(({ name, nodes }) => name === peer && nodes.has(node))
}
