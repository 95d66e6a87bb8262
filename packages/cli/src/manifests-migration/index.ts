/**
 * MetalLB's own manifests, of any of its flavours (native, frr, frr-k8s), as manifests of Landfall: the programs with other
 * images, and without what only MetalLB needs. In: the text of the files. Out: the text of one, which says above what was
 * left out and why. Nothing is read of a cluster.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Document, LineCounter, parseAllDocuments, stringify } from 'yaml'
import { type Fields, fields, keepProgram, list, text } from './containers.ts'

export interface ManifestFile {
  readonly name: string
  readonly text: string
}

interface Outcome {
  readonly object?: Fields
  readonly notes: readonly string[]
}

type ImageOf = (program: string) => string

const webhookService = /^(metallb-)?webhook-service$/
const webhookSecret = /^(metallb-webhook-cert|webhook-server-cert)$/
const programs = ['controller', 'speaker']
const frrGroup = 'frrk8s.metallb.io'

/**
 * @param version of the images
 * @param registry where they lie; undefined: their names alone
 * @throws when a file is no YAML, or none has a program
 */
export function migrateManifests(files: readonly ManifestFile[], version: string, registry?: string): string {
  const imageOf: ImageOf = (program) =>
    `${registry === undefined ? '' : `${registry}/`}landfall/${program}:${version}`
  const outcomes = files.flatMap(objectsIn).map((object) => migrateObject(object, imageOf))
  const objects = outcomes.flatMap(({ object }) => (object === undefined ? [] : [object]))
  if (!objects.some(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet'))
    throw new Error('there is neither a controller nor a speaker of MetalLB in these manifests')
  const head = outcomes.flatMap(({ notes }) => notes).map((note) => `# ${note}\n`)
  return [...head, ...objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`)].join('')
}

function objectsIn({ name, text: manifest }: ManifestFile): readonly Fields[] {
  const lines = new LineCounter()
  const refused = (offset: number, why: string) => new Error(`${name}:${lines.linePos(offset).line}: ${why}`)
  return parseAllDocuments(manifest, { lineCounter: lines, prettyErrors: false }).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw refused(error.pos[0], error.message)
    const value = fields(read(document, (why) => refused(document.range[0], why)))
    if (value['kind'] === 'List') return list(value['items'])
    return Object.keys(value).length === 0 ? [] : [value]
  })
}

/** An alias of nothing is found only when the value is made: of the document, then, not of its line. */
function read(document: Document, refused: (why: string) => Error): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error))
  }
}

function migrateObject(object: Fields, imageOf: ImageOf): Outcome {
  const name = nameOf(object)
  const why = reasonToDrop(object)
  if (why !== undefined) return { notes: [`dropped ${name}: ${why}`] }
  const { kind } = object
  if (kind === 'CustomResourceDefinition') return withoutConversion(object, name)
  if (kind === 'Deployment' || kind === 'DaemonSet') return withImages(object, name, imageOf)
  if (kind === 'Role' || kind === 'ClusterRole') return withoutFrrRights(object, name)
  return { object, notes: [] }
}

/** undefined: it stays. */
function reasonToDrop(object: Fields): string | undefined {
  const { kind } = object
  const name = text(fields(object['metadata'])['name'])
  const group = text(fields(object['spec'])['group'])
  if (kind === 'PodSecurityPolicy') return 'Kubernetes has none since 1.25'
  if (/^ValidatingWebhook|^MutatingWebhook/.test(text(kind)))
    return 'schemas and conditions say what is wrong'
  if (kind === 'Service' && webhookService.test(name)) return 'there are no webhooks'
  if (kind === 'Secret' && webhookSecret.test(name)) return 'there are no webhooks'
  if (group === frrGroup || /^frr-k8s|frr-k8s-/.test(name))
    return 'there is no frr-k8s: the speaker has sessions of its own'
  if (kind === 'ConfigMap' && /^(frr-startup|bgpextras)$/.test(name))
    return 'there is no FRR: docs/bgp.md has the fields to use'
  if (kind === 'CustomResourceDefinition' && name === 'addresspools.metallb.io')
    return 'AddressPools are not read: landfall migrate prints what says the same'
  return undefined
}

function withoutConversion(object: Fields, name: string): Outcome {
  const { conversion, ...spec } = fields(object['spec'])
  if (conversion === undefined) return { object, notes: [] }
  return { object: { ...object, spec }, notes: [`changed ${name}: without its conversion webhook`] }
}

/** The speaker wrote the configuration of frr-k8s. */
function withoutFrrRights(object: Fields, name: string): Outcome {
  const all = list(object['rules'])
  const rules = all.flatMap((rule) => {
    const { apiGroups } = rule
    if (!Array.isArray(apiGroups) || !apiGroups.includes(frrGroup)) return [rule]
    const others = apiGroups.map(text).filter((group) => group !== frrGroup)
    return others.length === 0 ? [] : [{ ...rule, apiGroups: others }]
  })
  if (isDeepStrictEqual(rules, all)) return { object, notes: [] }
  return { object: { ...object, rules }, notes: [`changed ${name}: without its rights to ${frrGroup}`] }
}

function withImages(object: Fields, name: string, imageOf: ImageOf): Outcome {
  const spec = fields(object['spec'])
  const template = fields(spec['template'])
  for (const program of programs) {
    const kept = keepProgram(fields(template['spec']), program, imageOf(program))
    if (kept === undefined) continue
    const changed = { ...object, spec: { ...spec, template: { ...template, spec: kept.spec } } }
    const note = kept.dropped.length === 0 ? '' : `, without ${kept.dropped.join(', ')}`
    return { object: changed, notes: [`changed ${name}: image ${imageOf(program)}${note}`] }
  }
  return { object, notes: [`left ${name} as it is: no program of MetalLB`] }
}

function nameOf(object: Fields): string {
  const { name, namespace } = fields(object['metadata'])
  return `${text(object['kind'])} ${text(namespace) === '' ? '' : `${text(namespace)}/`}${text(name)}`
}
