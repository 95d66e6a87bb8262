/** The reason codes that are types in the code, with what the code says beside each. Read from the sources. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generalAdviceOn } from '@landfall/diagnosis'
import { meanings } from './meanings.ts'

export interface ReasonTable {
  readonly title: string
  readonly reasons: readonly Reason[]
}

export interface Reason {
  readonly reason: string
  readonly meaning: string
  /** Types of the condition's errors, and whether they are warnings; '' for none. */
  readonly types: string
  /** What to do, as `landfall status` and `trace` say it, if they do. */
  readonly next: string
}

interface Found {
  readonly reason: string
  /** What the code says beside it. */
  readonly comment: string
  readonly types?: string
}

const sources = [
  ['Why a Service has no address', 'lb/src/allocation/outcome.ts', 'RefusalReason'],
  ['Why a node does not announce a Service', 'speaker/src/plan/reasons.ts', 'ReasonCode'],
  ['Why an object of `metallb.io` is left out', 'metallb/src/refusal.ts', 'RefusalReason'],
  ['Why BGP does not send a prefix', 'speaker/src/bgp/rib/desired-route.ts', 'UnsentReason'],
] as const

export function reasonTables(): readonly ReasonTable[] {
  const tables = sources.map(([title, file, type]) => ({ title, reasons: unionOf(textOf(file), type) }))
  const moved = listOf(textOf('speaker/src/layer2/codec/bodies.ts'), 'changeReasons')
  const known = [
    ...tables,
    {
      title: 'What of `metallb.io`, or of a Service, counts for less than is written',
      reasons: lesserReasons(),
    },
    { title: 'Why a BGP session is down, or not as it should be', reasons: sessionReasons() },
    { title: 'Why an address changed its node by layer 2', reasons: moved },
    { title: 'What is wrong with an HTTPProxy, Ingress or ExtensionService', reasons: problemReasons() },
  ]
  const said = new Set(known.flatMap(({ reasons }) => reasons.map(({ reason }) => reason)))
  const rest = diagnosisReasons().filter(({ reason }) => !said.has(reason))
  return [...known, { title: 'What `landfall status` and `trace` say besides', reasons: rest }].map(
    ({ title, reasons }) => ({ title, reasons: reasons.map(explained) }),
  )
}

function explained({ reason, comment, types = '' }: Found): Reason {
  const [meaning = comment, next = ''] = meanings[reason] ?? []
  return { reason, meaning, types, next: generalAdviceOn(reason) || next }
}

function textOf(file: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')
}

/** @throws when there is no such union of texts */
function unionOf(text: string, type: string): readonly Found[] {
  const [, body] =
    new RegExp(`export type ${type} =([\\s\\S]*?)\\n(?=\\n|export|type|interface)`).exec(text) ?? []
  const found = [...(body ?? '').matchAll(/(?:\/\*\* (.*?) \*\/\s*)?\|?\s*'(\w+)'/g)]
  if (found.length === 0) throw new Error(`there is no union ${type}`)
  return found.map(([, comment = '', reason = '']) => ({ reason, comment }))
}

function listOf(text: string, name: string): readonly Found[] {
  const [, body = ''] = new RegExp(`export const ${name} = \\[([^\\]]*)\\]`).exec(text) ?? []
  const found = [...body.matchAll(/(?:\/\*\* (.*?) \*\/\s*)?'(\w+)'/g)]
  if (found.length === 0) throw new Error(`there is no list ${name}`)
  return found.map(([, comment = '', reason = '']) => ({ reason, comment }))
}

function lesserReasons(): readonly Found[] {
  const unknown = unionOf(textOf('metallb/src/warnings.ts'), 'WarningReason').map(({ reason }) => reason)
  const texts = ['object-status.ts', 'announcement/refused-attributes.ts'].map((file) =>
    textOf(`lb/src/${file}`),
  )
  const written = texts.flatMap((text) => codesIn(text, /\breason: '(\w+)'|\bsaid\('(\w+)'/g))
  return distinct([...unknown, ...written].filter((reason) => reason !== 'Valid'))
}

/** Words of this form that are no reasons: kinds, policies. Types of errors end in `Error`. */
const otherWords = [
  'ExtensionService',
  'ExternalName',
  'HTTPProxy',
  'RequestHash',
  'RingHash',
  'RoundRobin',
  'SafeOnly',
  'WeightedLeastRequest',
]

/** With the types of the errors where these stand beside them: `error('TLSError', 'SecretNotValid', …)`. */
function problemReasons(): readonly Found[] {
  const texts = textsBelow('ingress/src/dag/')
  const words = texts.flatMap((text) => codesIn(text, /'([A-Z]\w*[A-Z]\w*)'/g))
  const reasons = words.filter(
    (word) => /[a-z]/.test(word) && !word.endsWith('Error') && !otherWords.includes(word),
  )
  const pattern = /\b(error|warning)\(\s*'([A-Z]\w+)',\s*'([A-Z]\w+)'/g
  const made = texts.flatMap((text) =>
    [...text.matchAll(pattern)].map(([, severity, type = '', reason = '']) => ({
      reason,
      type: severity === 'warning' ? `${type}, a warning` : type,
    })),
  )
  return distinct([...reasons, 'Orphaned', 'EnvoyRefused']).map((found) => {
    const types = made.flatMap(({ reason, type }) => (reason === found.reason ? [type] : []))
    return { ...found, types: [...new Set(types)].toSorted().join('; ') }
  })
}

/** Codes of the status object, and the ways in which a session or an attempt ends. */
function sessionReasons(): readonly Found[] {
  const files = ['status/session-object.ts', 'status/session-reports.ts', 'bgp/session-log.ts']
  const texts = files.map((file) => textOf(`speaker/src/${file}`))
  const written = texts.flatMap((text) => codesIn(text, /\breason: '(\w+)'/g))
  const [, endings = ''] =
    /export type Ending =([\s\S]*?)\n\n/.exec(textOf('speaker/src/bgp/fsm/state.ts')) ?? []
  const ends = codesIn(endings, /kind: '(\w+)'/g).filter((kind) => kind !== 'closed')
  const words = textsBelow('speaker/src/bgp/').flatMap((text) =>
    codesIn(text, /['`]([a-z]+[A-Z][A-Za-z]*): [^'`]*['`]/g).filter((word) => generalAdviceOn(word) !== ''),
  )
  const obstacles = unionOf(textOf('speaker/src/bfd/messages.ts'), 'BfdObstacle').map(({ reason }) => reason)
  return distinct([...written, ...ends, ...words, ...obstacles, 'badPeerAS'])
}

/** In the place of a reason, which may be one of two: `reason: lack?.reason ?? 'noAddress'`. */
function diagnosisReasons(): readonly Found[] {
  const places =
    /\breason(?::| =) ([^\n]+)|\b(?:broken|doubtful|unknown|judge)\(\s*(?:step(?:\.name)?|'[^']+'),\s*([^\n]+)/g
  const found = textsBelow('diagnosis/src/').flatMap((text) =>
    codesIn(text, places).flatMap((place) => codesIn(place.split(', ')[0] ?? '', /(?<!\[)'(\w{3,})'/g)),
  )
  return distinct(found)
}

function distinct(codes: readonly string[]): readonly Found[] {
  return [...new Set(codes)].toSorted().map((reason) => ({ reason, comment: '' }))
}

function codesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].flatMap(([, one, other]) => one ?? other ?? [])
}

function textsBelow(path: string): readonly string[] {
  const folder = fileURLToPath(new URL(`../../../${path}`, import.meta.url))
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing/.test(file))
    .map((file) => readFileSync(`${folder}${file}`, 'utf8'))
}
