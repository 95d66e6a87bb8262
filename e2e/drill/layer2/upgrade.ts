/** `upgrade`: the speakers of MetalLB are replaced by Landfall's, one node after the other, under load. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject, Lab } from '../../lab/index.ts'
import { predecessorCatalogue, versions } from '../../lab/parts/catalogue.ts'
import { resolveParts } from '../../lab/parts/resolve.ts'
import { conflicts, relapses } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { balancerAddresses } from '../outages.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { type Since, shareOfConflicts, shareOfGaps, takenAt } from './foreign-share.ts'
import { macOf } from './loss.ts'
import { lostOf, lostTexts, openTexts } from './lost.ts'
import { type Part } from './part.ts'
import { conflictMs, conflictTexts, relapseMs } from './seen.ts'
import {
  addressesOf,
  owners,
  patchSpeakers,
  type Site,
  speakerPods,
  speakersReady,
  system,
  watched,
} from './site.ts'
import { disturbedGaps, slowFigures, slowTexts } from './slow.ts'
import { calm, patientLoadOn, wait } from './traffic.ts'

const gapLimitMs = 1000
const loadCount = 4
const mostTold = 20
const grant = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'drill-metallb-speaker' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', name: 'speaker', namespace: system }],
}

export const upgrade: Part = {
  about: "rolling update from MetalLB's speaker: one owner at a time, service away for at most 1 s",
  run: async (o) => {
    await resolveParts(o.progress, predecessorCatalogue)
    await watched(o, (site, watch) =>
      repeat(o, 'upgrade', 'rolling update from MetalLB', o.times ?? 3, (note) =>
        upgraded(site, watch, note),
      ),
    )
  },
}

interface DaemonSet extends KubernetesObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } }
}

interface Container {
  readonly env?: unknown
  readonly ports?: unknown
  readonly securityContext?: unknown
  readonly volumeMounts?: unknown
}

async function upgraded(site: Site, watch: SegmentWatch, note: (text: string) => void): ReturnType<Trial> {
  const { lab } = site
  const set = await lab.get<DaemonSet>('daemonset', 'speaker', system)
  const [ours] = set?.spec.template.spec.containers ?? []
  if (ours === undefined) throw new Error('the DaemonSet of the speakers has no container')
  const { env, ports, securityContext, volumeMounts } = ours
  await lab.apply([grant])
  const theirs = {
    name: 'speaker',
    image: `quay.io/metallb/speaker:v${versions.metallb}`,
    args: ['--port=7472', '--log-level=info'],
    env,
    ports,
    securityContext,
    volumeMounts,
    readinessProbe: { httpGet: { path: '/metrics', port: 'monitoring' }, periodSeconds: 1 },
  }
  note('MetalLB instead')
  await replaceContainer(lab, theirs)
  await owners(site, watch, addressesOf(site.services), 60_000)
  await wait(6000)
  const before = await balancerAddresses(lab)
  const ticker = startTicker()
  // Of the families in turn: each load costs this machine something.
  const ips = site.services.slice(0, loadCount).map(({ ipv4, ipv6 }, i) => (i % 2 === 0 ? ipv4 : ipv6))
  const loads = ips.map((ip) => patientLoadOn(lab, ip))
  await calm(lab, loads, 500)
  ticker.take()
  const began = epochMs()
  note('and Landfall again')
  await replaceContainer(lab, ours)
  await wait(5000)
  ticker.stop()
  const results = await Promise.all(loads.map((load) => load.stop()))
  const asked = results.map((result, i) => ({ ip: ips[i] ?? '', result }))
  const meanwhile = watch.claims.filter(({ at }) => at >= began)
  const since = await startsOfOurs(site)
  const back = shareOfConflicts(relapses(meanwhile, relapseMs), since)
  const atOnce = shareOfConflicts(conflicts(meanwhile, conflictMs), since)
  const gaps = asked.map(({ result }) => disturbedGaps(result, began))
  const away = asked.map(({ ip, result: { startedAt } }, i) =>
    shareOfGaps({ ip, gaps: gaps[i] ?? [], startedAt }, meanwhile, since),
  )
  const gapMs = Math.max(...away.map(({ oursMs, theirsMs }) => oursMs + theirsMs))
  const withOursMs = Math.max(...away.map(({ oursMs }) => oursMs))
  const lost = lostOf(asked, meanwhile, began)
  const oursOpen = lost.open.filter(({ ip, movedAt = 0 }) => movedAt >= takenAt(ip, meanwhile, since))
  const kept = isDeepStrictEqual(before, await balancerAddresses(lab))
  return {
    gapMs,
    figures: {
      lost: lost.lost.length,
      'open when moved': lost.open.length,
      ...slowFigures(asked, began),
      gaps: gaps.flat().length,
      'max away with Landfall ms': withOursMs,
      "max away among MetalLB's own ms": Math.max(...away.map(({ theirsMs }) => theirsMs)),
      relapses: back.ours.length,
      conflicts: atOnce.ours.length,
      "relapses of MetalLB's own": back.theirs.length,
      "conflicts of MetalLB's own": atOnce.theirs.length,
      'addresses changed': kept ? 0 : 1,
    },
    limitMs: gapLimitMs,
    ofTimes: [
      ...(gapMs > gapLimitMs
        ? [
            `service was away, or late, for ${Math.round(gapMs)} ms in all, for ${Math.round(withOursMs)} ms with Landfall`,
            ...lostTexts(lost, began).slice(0, mostTold),
            ...slowTexts(asked, began),
          ]
        : []),
      ...openTexts(oursOpen, began),
    ],
    complaints: [
      ...conflictTexts(back.ours).map((text) => `answered again: ${text}`),
      ...conflictTexts(atOnce.ours),
      ...(kept ? [] : ['an address changed']),
    ],
    lateMs: Math.max(ticker.take(), ...results.map(({ tickerLateMs }) => tickerLateMs)),
  }
}

async function replaceContainer(lab: Site['lab'], container: object): Promise<void> {
  const path = '/spec/template/spec/containers/0'
  await patchSpeakers(lab, 'json', [{ op: 'replace', path, value: container }])
  await speakersReady(lab)
}

async function startsOfOurs(site: Site): Promise<Since> {
  const pods = await speakerPods(site.lab)
  const starts = pods.map(({ metadata, spec }): readonly [string, number] => [
    macOf(site, spec.nodeName ?? ''),
    startOf(site.lab, metadata.name),
  ])
  return new Map(starts)
}

const tickMs = 10

function startOf(lab: Lab, pod: string): number {
  const speaker = lab.pods.process(system, pod, 'speaker')
  if (speaker === undefined) throw new Error(`the speaker of ${pod} does not run`)
  const upMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
  return epochMs() - upMs + Number(speaker.startTime) * tickMs
}
