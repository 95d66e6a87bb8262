/**
 * What a cluster's status would say of objects, without a cluster: the same translation, over a world that holds just
 * them. In: documents. Out: a finding for each object that has a status, and for all that cannot be read.
 */
import { type CustomResource, projectcontourResources, specProblems } from '@landfall/api/crd'
import type { RawObject } from '@landfall/kube'
import { engineOptions } from '../configuration/engine-options.ts'
import {
  describeProblem,
  type ReadConfiguration,
  readConfiguration,
  readFileText,
  type Source,
  togetherProblems,
  withFlags,
} from '../configuration/read.ts'
import type { Settings } from '../configuration/settings.ts'
import type { Problem } from '../dag/problem.ts'
import { Engine } from '../engine/engine.ts'
import { isOurIngress, isOurProxy } from '../model/ingress-class.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { proxyState } from '../status/proxy-status.ts'
import type { Document } from './documents.ts'
import { metadataProblems } from './metadata.ts'
import { ruleProblems } from './rules.ts'
import { changeOf } from './world.ts'

export interface Finding {
  readonly file: string
  readonly kind: string
  /** '' for a file. */
  readonly namespace: string
  readonly name: string
  /** `valid`, `invalid` or `orphaned`, or that the class is another's. */
  readonly status: 'valid' | 'invalid' | 'orphaned' | 'ignored'
  readonly problems: readonly Problem[]
}

interface Placed {
  readonly file: string
  readonly object: RawObject
}

/**
 * @param flags go before what a configuration among the documents says
 * @param chosen settings of a configuration that is none of them; between the two
 */
export function validate(
  documents: readonly Document[],
  flags: Settings,
  namespace: string,
  chosen: Settings = {},
): readonly Finding[] {
  const placed = documents.flatMap((document) =>
    document.kind === 'object'
      ? [{ file: document.file, object: inNamespace(document.object, namespace) }]
      : [],
  )
  const refused = placed.flatMap((one) => schemaFinding(one) ?? [])
  const taken = placed.filter(({ object }) => !refused.some((finding) => isAbout(finding, object)))
  const configurations = configurationsOf(documents, taken, flags)
  const settings = configurations.length === 1 ? configurations[0]?.settings : undefined
  return [
    ...documents.flatMap(unreadable),
    ...configurations.map(({ finding }) => finding),
    ...refused,
    ...judged(taken, { ...settings, ...chosen, ...flags }),
  ]
}

/** What is named and left empty is not there. */
function inNamespace(object: RawObject, namespace: string): RawObject {
  const { annotations, labels, ...metadata } = object.metadata
  const maps = { ...(annotations && { annotations }), ...(labels && { labels }) }
  return { ...object, metadata: { ...metadata, ...maps, namespace: metadata.namespace ?? namespace } }
}

function isAbout(finding: Finding, { kind, metadata }: RawObject): boolean {
  return finding.kind === kind && finding.namespace === metadata.namespace && finding.name === metadata.name
}

function unreadable(document: Document): readonly Finding[] {
  if (document.kind !== 'unreadable') return []
  const { file, message } = document
  return [finding(file, 'File', '', file, [problem('SyntaxError', 'Unreadable', message)])]
}

function finding(
  file: string,
  kind: string,
  namespace: string,
  name: string,
  problems: readonly Problem[],
): Finding {
  const status = problems.some(({ severity }) => severity === 'error') ? 'invalid' : 'valid'
  return { file, kind, namespace, name, status, problems }
}

function problem(type: string, reason: string, message: string): Problem {
  return { severity: 'error', type, reason, message }
}

interface Configured {
  readonly finding: Finding
  readonly settings: Settings
}

function configurationsOf(
  documents: readonly Document[],
  placed: readonly Placed[],
  flags: Settings,
): readonly Configured[] {
  const files = documents.flatMap((document) =>
    document.kind === 'configuration' ? [configuredFile(document.file, document.text, flags)] : [],
  )
  const objects = placed.flatMap(({ file, object }): readonly Configured[] => {
    const { kind = '', metadata } = object
    const { namespace = '', name } = metadata
    const about = { file, kind, namespace, name }
    if (kind === 'ContourConfiguration') {
      return [configured(about, readConfiguration(object['spec'] ?? {}, 'object'), 'object', flags)]
    }
    const data = kind === 'ConfigMap' ? object['data'] : undefined
    const text: unknown =
      typeof data === 'object' && data !== null ? Reflect.get(data, 'contour.yaml') : undefined
    return typeof text === 'string' ? [configured(about, readFileText(text), 'file', flags)] : []
  })
  return [...files, ...objects]
}

/** A `contour.yaml`. */
export function configuredFile(file: string, text: string, flags: Settings): Configured {
  return configured({ file, kind: 'File', namespace: '', name: file }, readFileText(text), 'file', flags)
}

/** Judged as `serve` does. */
function configured(
  { file, kind, namespace, name }: Pick<Finding, 'file' | 'kind' | 'namespace' | 'name'>,
  { settings, problems: own }: ReadConfiguration,
  source: Source,
  flags: Settings,
): Configured {
  const together = () => togetherProblems(withFlags(settings, flags, source), source)
  const problems = (own.length > 0 ? own : together()).map((one) =>
    problem('ConfigurationError', 'InvalidSetting', describeProblem(one)),
  )
  return { finding: finding(file, kind, namespace, name, problems), settings }
}

/** What the API server would refuse. */
function schemaFinding({ file, object }: Placed): Finding | undefined {
  const { apiVersion = '', kind = '', metadata } = object
  const resource: CustomResource | undefined = projectcontourResources.find(
    (one) => one.kind === kind && apiVersion.startsWith(`${one.group}/`),
  )
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  const ofSpec = resource === undefined ? [] : specProblems(resource, version, object['spec'])
  const problems = [
    ...metadataProblems(object),
    ...(ofSpec ?? [`apiVersion: "${apiVersion}" is not served`]),
    ...(ofSpec?.length === 0 ? ruleProblems(kind, object['spec']) : []),
  ]
  if (problems.length === 0) return undefined
  const refused = problems.map((message) => problem('SpecError', 'RefusedByAPIServer', message))
  return finding(file, kind, metadata.namespace ?? '', metadata.name, refused)
}

function judged(placed: readonly Placed[], settings: Settings): readonly Finding[] {
  const world = emptyWorld()
  const options = engineOptions(settings)
  const changes = placed.flatMap(({ file, object }) => {
    const change = changeOf(object)
    return change === undefined ? [] : [{ file, change }]
  })
  for (const { change } of changes) take(world, change)
  const engine = new Engine(world, options)
  engine.apply(changes.map(({ change }) => change))
  return changes.flatMap(({ file, change }) => judgement(file, change, engine, options.classes))
}

function judgement(
  file: string,
  change: Change,
  engine: Engine,
  classes: readonly string[],
): readonly Finding[] {
  const { kind, key, after } = change
  if (after === undefined) return []
  const { namespace, name } = after.meta
  const about = { file, namespace, name }
  if (kind === 'ingress') {
    const { problems } = engine.verdict('ingress', key)
    if (!isOurIngress(after, classes)) return [{ ...about, kind: 'Ingress', status: 'ignored', problems: [] }]
    return [finding(file, 'Ingress', namespace, name, problems)]
  }
  if (kind === 'extensionService') {
    return [finding(file, 'ExtensionService', namespace, name, engine.verdict(kind, key).problems)]
  }
  if (kind !== 'httpProxy') return []
  const verdict = engine.verdict('httpProxy', key)
  const ours = isOurProxy(after, classes)
  const status = ours ? proxyState(verdict) : 'ignored'
  return [{ ...about, kind: 'HTTPProxy', status, problems: ours ? verdict.problems : [] }]
}
