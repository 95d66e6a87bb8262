/** The reason codes that are types in the code, with what the code says beside each. Read from the sources. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { adviceOn } from '@landfall/diagnosis'

export interface ReasonTable {
  readonly title: string
  readonly reasons: readonly Reason[]
}

export interface Reason {
  readonly reason: string
  /** What the code says beside it. */
  readonly comment: string
  /** What to do, as `landfall status` and `trace` say it; '' where their message says it all. */
  readonly next: string
}

type Found = Omit<Reason, 'next'>

const sources = [
  ['Why a Service has no address', 'lb/src/allocation/outcome.ts', 'RefusalReason'],
  ['Why a node does not announce a Service', 'speaker/src/plan/reasons.ts', 'ReasonCode'],
  ['Why an object of `metallb.io` is left out', 'metallb/src/refusal.ts', 'RefusalReason'],
  ['What of `metallb.io` is in use and hardly meant', 'metallb/src/warnings.ts', 'WarningReason'],
  ['Why BGP does not send a prefix', 'speaker/src/bgp/rib/desired-route.ts', 'UnsentReason'],
] as const

export function reasonTables(): readonly ReasonTable[] {
  const tables = sources.map(([title, file, type]) => ({ title, reasons: unionOf(textOf(file), type) }))
  const moved = listOf(textOf('speaker/src/layer2/codec/bodies.ts'), 'changeReasons')
  const known = [
    ...tables,
    { title: 'Why a BGP session is down, or not as it should be', reasons: sessionReasons() },
    { title: 'Why an address changed its node by layer 2', reasons: moved },
    { title: 'What is wrong with an HTTPProxy, Ingress or ExtensionService', reasons: problemReasons() },
  ]
  const said = new Set(known.flatMap(({ reasons }) => reasons.map(({ reason }) => reason)))
  const rest = diagnosisReasons().filter(({ reason }) => !said.has(reason))
  return [...known, { title: 'What `landfall status` and `trace` say besides', reasons: rest }].map(
    ({ title, reasons }) => ({
      title,
      reasons: reasons.map((one) => ({ ...one, next: adviceOn(one.reason) })),
    }),
  )
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

/** Made where they are found, `error('TLSError', 'SecretNotValid', …)`: the comment is the type, and that it is a warning. */
function problemReasons(): readonly Found[] {
  const texts = textsBelow('ingress/src/')
  const pattern = /\b(error|warning)\(\s*'([A-Z]\w+)',\s*'([A-Z]\w+)'/g
  const made = texts.flatMap((text) =>
    [...text.matchAll(pattern)].map(([, severity, type = '', reason = '']) => ({
      reason,
      comment: severity === 'warning' ? `${type}, a warning` : type,
    })),
  )
  const others = /(?:none\(|\[)'(Include(?!Error)[A-Z]\w+)', |reason: '(Orphaned|EnvoyRefused)'/g
  const more = texts.flatMap((text) =>
    [...text.matchAll(others)].map(([, include, whole]) => ({
      reason: include ?? whole ?? '',
      comment: include === undefined ? '' : 'IncludeError',
    })),
  )
  return [...Map.groupBy([...made, ...more], ({ reason }) => reason)]
    .map(([reason, all]) => ({
      reason,
      comment: [...new Set(all.map(({ comment }) => comment))].toSorted().join('; '),
    }))
    .toSorted((a, b) => (a.reason < b.reason ? -1 : 1))
}

/** Codes of the status object, and the ways in which a session or an attempt ends. */
function sessionReasons(): readonly Found[] {
  const texts = ['status/session-object.ts', 'bgp/session-log.ts'].map((file) =>
    textOf(`speaker/src/${file}`),
  )
  const written = texts.flatMap((text) => codesIn(text, /\breason: '(\w+)'/g))
  const [, endings = ''] =
    /export type Ending =([\s\S]*?)\n\n/.exec(textOf('speaker/src/bgp/fsm/state.ts')) ?? []
  const ends = codesIn(endings, /kind: '(\w+)'/g).filter((kind) => kind !== 'closed')
  const words = textsBelow('speaker/src/bgp/').flatMap((text) =>
    codesIn(text, /['`]([a-z]+[A-Z][A-Za-z]*): [^'`]*['`]/g).filter((word) => adviceOn(word) !== ''),
  )
  return distinct([...written, ...ends, ...words])
}

function diagnosisReasons(): readonly Found[] {
  const pattern = /\breason: '(\w+)'|\b(?:broken|doubtful|unknown|judge)\(\s*(?:step|'[^']+'),\s*'(\w+)'/g
  return distinct(textsBelow('diagnosis/src/').flatMap((text) => codesIn(text, pattern)))
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
