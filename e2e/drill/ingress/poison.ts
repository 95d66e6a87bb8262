/**
 * `poison`: an Envoy refuses one resource, of each type in turn, while a hundred hosts come. They arrive, what was there
 * serves on, the owner's status has Envoy's words and no other's, nothing is tried in a loop, and what is mended holds. The
 * bundle is one whose encoder makes such content of what this drill's objects mark (`xds/load/poisoned-resource.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawObject } from '@landfall/kube'
import type { Bootstrap } from '../../ingress/envoy.ts'
import { each, names, proxyObject } from '../../ingress/objects.ts'
import { answers, quiet, startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { provideBundlesWith } from '../../nodeless/bundles.ts'
import { threadsCpuMs } from '../../nodeless/process-usage.ts'
import { makeAuthority } from '../../scenarios/certificate.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import type { Part } from './part.ts'
import { type Case, classicCases, type Stage, scopedCases } from './poison-cases.ts'

const standIns = {
  'packages/ingress/src/xds/resource.ts': 'packages/ingress/src/xds/load/poisoned-resource.ts',
}
const hosts = 50
const beside = 100
const lookMs = 3000
/** Milliseconds of a processor a second; at rest it is about one. */
const mostCpu = 20
const mostMs = 20_000

export const poison: Part = {
  about: `one resource that Envoy refuses beside ${beside} that it takes`,
  run: async (o) => {
    const times = o.times ?? 1
    await repeat(o, 'poison', 'of each type in turn', times, (note) => trial(note, 'ours', scopedCases))
    await repeat(o, 'poison', `an Envoy on Contour's bootstrap`, times, (note) =>
      trial(note, 'contour', classicCases),
    )
  },
}

async function trial(
  note: Parameters<Trial>[0],
  bootstrap: Bootstrap,
  cases: readonly Case[],
): ReturnType<Trial> {
  const authority = await makeAuthority()
  const bundles = await provideBundlesWith(standIns)
  const site = await startSite(names('h', hosts), note, bundles, bootstrap)
  const ticker = startTicker()
  const figures: Record<string, number> = {}
  const complaints: string[] = []
  try {
    for (const one of cases) {
      note(one.name)
      const seen = await strike({ site, authority }, one)
      for (const [what, value] of Object.entries(seen.figures)) figures[`${one.name} ${what}`] = value
      complaints.push(...seen.complaints.map((text) => `${one.name}: ${text}`))
    }
    return { figures, complaints, lateMs: ticker.take() }
  } finally {
    ticker.stop()
    await site.stop()
  }
}

async function strike(stage: Stage, one: Case) {
  const { site } = stage
  const { words, shared = false } = one
  // Of a shared table halves are tried until one entry is left.
  const most = shared ? 2 * Math.ceil(Math.log2(beside)) + 2 : 1
  const figures: Record<string, number> = {}
  const complaints: string[] = []
  const demand = async (holds: () => Promise<boolean>, otherwise: string): Promise<void> => {
    if (!(await inTime(holds))) complaints.push(`${otherwise}, after ${mostMs} ms`)
  }
  const others = names(`${one.name}-`, beside)
  await site.objects.createServices(others)
  await one.prepare(stage)
  await quiet(site)
  const before = await refusals(site)
  const began = performance.now()
  await Promise.all([
    one.poison(stage),
    each(others, (name) => site.objects.create('proxy', proxyObject(name))),
  ])
  figures['created (ms)'] = performance.now() - began
  for (const name of others) await answers(site, name)
  figures['arrived (ms)'] = performance.now() - began
  if (words !== undefined)
    await demand(async () => words.test(await told(site, one.name)), `${one.name} is not told Envoy's words`)
  figures['told (ms)'] = performance.now() - began
  if (!(await one.servesOn(stage))) complaints.push('what was there does not serve on')
  await quiet(site)
  const refused = (await refusals(site)) - before
  figures['refused contents'] = refused
  if (refused < 1 || refused > most) complaints.push(`${refused} contents were refused, not 1 to ${most}`)
  for (const name of others)
    if ((await told(site, name)) !== '') complaints.push(`${name} is told what another is refused`)
  const [cpu, answered] = [threadsCpuMs(site.serve.pid), await acknowledgements(site)]
  await sleep(lookMs)
  const cpuMs = (threadsCpuMs(site.serve.pid) - cpu) / (lookMs / 1000)
  if (cpuMs > mostCpu) complaints.push(`serve takes ${cpuMs.toFixed(0)} ms of a processor a second`)
  if ((await acknowledgements(site)) > answered) complaints.push('Envoy is sent more')
  figures['CPU (ms a second)'] = cpuMs
  await one.mend(stage)
  await demand(() => one.mended(stage), 'what was mended does not hold')
  if (words !== undefined)
    await demand(async () => !words.test(await told(site, one.name)), `${one.name} is told on and on`)
  return { figures, complaints }
}

async function inTime(holds: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + mostMs; performance.now() < end; await sleep(20))
    if (await holds()) return true
  return false
}

interface Status {
  readonly conditions?: readonly {
    readonly type: string
    readonly status: string
    readonly message: string
  }[]
}

/** What the status of the host says that Envoys refuse; '' when nothing. */
async function told(site: IngressSite, host: string): Promise<string> {
  const { status } = (await site.objects.get('proxy', host)) as RawObject & { readonly status?: Status }
  const programmed = status?.conditions?.find(({ type }) => type === 'Programmed')
  return programmed?.status === 'False' ? programmed.message : ''
}

async function refusals(site: IngressSite): Promise<number> {
  return (await site.metrics()).get('landfall_xds_refused_resources_total') ?? 0
}

async function acknowledgements(site: IngressSite): Promise<number> {
  return (await site.metrics()).get('landfall_xds_acknowledgements_total') ?? 0
}
