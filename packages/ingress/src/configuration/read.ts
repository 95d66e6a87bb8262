/**
 * A configuration → settings. Strict: what is not known, cannot be read or cannot be honoured is a problem with its
 * path, and all of them are told.
 */
import { parseDocument } from 'yaml'
import { globalProblems } from '../dag/policies/authorization.ts'
import { figuresApart, globalAuthorization, tracingService } from './engine-options.ts'
import { isRecord, unsaid } from './readers.ts'
import { refused } from './refused.ts'
import type { Setting } from './setting.ts'
import { type SettingName, type Settings, settings } from './settings.ts'
import { said } from './yaml.ts'

export interface ConfigurationProblem {
  /** As `timeouts.request-timeout`; '' for the whole. */
  readonly path: string
  readonly message: string
}

export function describeProblem({ path, message }: ConfigurationProblem): string {
  return path === '' ? message : `${path}: ${message}`
}

export interface ReadConfiguration {
  readonly settings: Settings
  /** Empty: the settings may be used. */
  readonly problems: readonly ConfigurationProblem[]
}

export type Source = 'file' | 'object'

/** The text of `contour.yaml`. */
export function readFileText(text: string): ReadConfiguration {
  const document = parseDocument(text, { prettyErrors: false })
  const read = said(document)
  if (read.kind === 'unreadable') return { settings: {}, problems: [{ path: '', message: read.message }] }
  return readConfiguration(read.value ?? {}, 'file')
}

/** @param value the document of a file, or the spec of a ContourConfiguration */
export function readConfiguration(value: unknown, source: Source): ReadConfiguration {
  const problems: ConfigurationProblem[] = []
  if (!isRecord(value)) return { settings: {}, problems: [{ path: '', message: 'must be a map' }] }
  const read: Record<string, unknown> = {}
  walk(value, '', words[source], read, problems)
  return { settings: read, problems: [...problems, ...contradictions(read, source)] }
}

interface Words {
  readonly settings: ReadonlyMap<string, SettingName>
  readonly refused: ReadonlyMap<string, string>
  /** Paths with something below them. */
  readonly blocks: ReadonlySet<string>
}

const names = Object.keys(settings) as SettingName[]
const table: Readonly<Record<string, Setting>> = settings
const words: Readonly<Record<Source, Words>> = { file: wordsOf('file'), object: wordsOf('object') }

function wordsOf(source: Source): Words {
  const named = names.flatMap((name) => {
    const path = table[name]?.[source]
    return path === undefined ? [] : [[path, name] as const]
  })
  const unserved = refused.flatMap((one) => {
    const path = one[source]
    return path === undefined ? [] : [[path, one.why] as const]
  })
  const paths = [...named, ...unserved].map(([path]) => path)
  const blocks = paths.flatMap((path) => {
    const parts = path.split('.')
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'))
  })
  // Old files have it, with nothing in it.
  const empty = source === 'file' ? ['server'] : []
  return {
    settings: new Map(named),
    refused: new Map(unserved),
    blocks: new Set([...blocks, ...empty]),
  }
}

function walk(
  block: Readonly<Record<string, unknown>>,
  above: string,
  known: Words,
  read: Record<string, unknown>,
  problems: ConfigurationProblem[],
): void {
  for (const [key, value] of Object.entries(block)) {
    const path = above === '' ? key : `${above}.${key}`
    const say = (message: string): void => {
      problems.push({ path, message })
    }
    const name = known.settings.get(path)
    const why = known.refused.get(path)
    if (value === null || value === undefined) {
      if (name === undefined && why === undefined && !known.blocks.has(path)) say(unknown)
    } else if (why !== undefined) say(why)
    else if (name !== undefined) {
      const result = settings[name].read(value, say)
      if (result !== undefined && result !== unsaid) read[name] = result
    } else if (!known.blocks.has(path)) say(unknown)
    else if (isRecord(value)) walk(value, path, known, read, problems)
    else say('must be a map')
  }
}

const unknown = 'is no key that is known'

const authorizationSettings = [
  'authServiceName',
  'authServiceNamespace',
  'authServiceType',
  'authHttp',
  'authPolicy',
  'authTimeout',
  'authFailOpen',
  'authBody',
] as const satisfies readonly SettingName[]

const rateLimitSettings = [
  'rateLimitServiceName',
  'rateLimitServiceNamespace',
  'rateLimitDomain',
  'rateLimitFailOpen',
  'rateLimitHeaders',
  'rateLimitExhausted',
  'rateLimitPolicy',
] as const satisfies readonly SettingName[]

const tracingSettings = [
  'tracingServiceName',
  'tracingServiceNamespace',
  'tracingPodDetail',
  'tracingName',
  'tracingOverall',
  'tracingClient',
  'tracingRandom',
  'tracingPathLength',
  'tracingTags',
] as const satisfies readonly SettingName[]

const ownPort = 'needs a port of its own, apart from that of health'

/** What each alone is good for, and together not. */
function contradictions(read: Settings, source: Source): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const refuse = (name: SettingName, message: string): void => {
    problems.push({ path: pathOf(name, source), message })
  }
  const { tlsMinimum = '1.2', tlsMaximum = '1.3', upstreamMinimum = '1.2', upstreamMaximum = '1.3' } = read
  if (tlsMinimum > tlsMaximum) refuse('tlsMinimum', `${tlsMinimum} is above the maximum ${tlsMaximum}`)
  if (upstreamMinimum > upstreamMaximum)
    refuse('upstreamMinimum', `${upstreamMinimum} is above the maximum ${upstreamMaximum}`)
  if ((read.metricsCertificate === undefined) !== (read.metricsKey === undefined))
    refuse('metricsCertificate', 'certificate and key go together')
  if ((read.envoyMetricsCertificate === undefined) !== (read.envoyMetricsKey === undefined))
    refuse('envoyMetricsCertificate', 'certificate and key go together')
  if (read.envoyMetricsCa !== undefined && read.envoyMetricsCertificate === undefined)
    refuse('envoyMetricsCa', 'an authority of clients needs a certificate of the server')
  if (read.envoyMetricsCertificate !== undefined && read.envoyMetricsPort === undefined)
    refuse('envoyMetricsCertificate', ownPort)
  if (read.metricsCa !== undefined && read.metricsCertificate === undefined)
    refuse('metricsCa', 'an authority of clients needs a certificate of the server')
  const named = read.rateLimitServiceName !== undefined && read.rateLimitServiceNamespace !== undefined
  const limiting = rateLimitSettings.find((name) => read[name] !== undefined)
  if (limiting !== undefined && read.rateLimitService === undefined && !named)
    refuse(limiting, 'counts for nothing without rateLimitService.extensionService, with name and namespace')
  if ((read.clientCertificateName === undefined) !== (read.clientCertificateNamespace === undefined))
    refuse('clientCertificateName', 'name and namespace go together')
  if ((read.fallbackName === undefined) !== (read.fallbackNamespace === undefined))
    refuse('fallbackName', 'name and namespace go together')
  const authorization = globalAuthorization(read)
  const asked = authorizationSettings.find((name) => read[name] !== undefined)
  if (asked !== undefined && authorization === undefined)
    refuse(asked, 'counts for nothing without an ExtensionService, with name and namespace')
  const traced = tracingSettings.find((name) => read[name] !== undefined)
  if (traced !== undefined && tracingService(read) === undefined)
    refuse(traced, 'counts for nothing without tracing.extensionService, with name and namespace')
  for (const text of authorization === undefined ? [] : globalProblems(authorization)) {
    const [, below = '', message = text] = /^(\.[\w.[\]]+): ([^]*)$/.exec(text) ?? []
    problems.push({ path: `globalExtAuth${below}`, message })
  }
  if (read.limitedHealthAddress !== undefined && read.limitedHealthPort === undefined)
    refuse('limitedHealthAddress', 'needs a port beside it')
  return problems
}

/** As `serve` reads them: flags go before a file, and an object before flags. */
export function withFlags(read: Settings, flags: Settings, source: Source): Settings {
  return source === 'object' ? { ...flags, ...read } : { ...read, ...flags }
}

/** What follows from all sources together. */
export function togetherProblems(all: Settings, source: Source): readonly ConfigurationProblem[] {
  if (all.envoyMetricsCertificate === undefined || figuresApart(all) !== undefined) return []
  return [{ path: pathOf('envoyMetricsCertificate', source), message: ownPort }]
}

/** Where a setting stands; its own name where it has no path. */
export function pathOf(name: SettingName, source: Source): string {
  return table[name]?.[source] ?? name
}

/** Settings that differ and cannot change while the program runs. */
export function needRestart(before: Settings, after: Settings): readonly SettingName[] {
  return differing(before, after).filter((name) => table[name]?.live === false)
}

export function differing(before: Settings, after: Settings): readonly SettingName[] {
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
}
