/** For tests: a cluster as YAML over the one in which all is well → a view of it, and what is asked of it. */
import { readFileSync } from 'node:fs'
import type { RawObject, Selection } from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import { parseAllDocuments } from 'yaml'
import type { ClusterView, EnvoyReading } from './cluster-view.ts'
import type { Read } from './observed.ts'
import { listedKinds } from './reading/kinds.ts'
import { observe } from './reading/observe.ts'
import type { PageReading } from './reading/pages.ts'
import type { Lists } from './reading/read.ts'
import { servingOf } from './reading/serving.ts'
import { withSpeakers } from './reading/speakers.ts'
import { standingsIn } from './reading/standings.ts'
import { podsOf } from './status/programs.ts'
import type { Standings } from './trace/standings.ts'
import { type Addresses, readTarget, type Target } from './trace/target.ts'

export const folder = new URL('./testdata/', import.meta.url)
export const places = { system: 'metallb-system', ingress: 'projectcontour' }

export interface Case {
  readonly view: ClusterView
  readonly target: Target
  readonly standings: Standings
}

/**
 * Comments at its head say what else there is: `# url: URL`, `# dns: ADDRESS` (or `none`), `# forbidden: KIND, …`,
 * `# absent: KIND, …`, `# envoy: connected` (or `lost`, `forbidden`, `refusing`). Documents of kind `Page` are what pods serve.
 */
export function readCase(name: string): Case {
  const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8')
  const said = (what: string) => new RegExp(`^# ${what}: (.*)$`, 'm').exec(text)?.[1]
  const lists = listsOf(objectsOf(name), names(said('forbidden')), names(said('absent')))
  const pages = pagesOf(objectsOf(name))
  const observed = withSpeakers(observe(lists, places), pages)
  const reading = readingOf(said('envoy') ?? 'connected')
  const envoys = podsOf(observed, 'envoy')
    .filter(({ ready }) => ready)
    .map(({ meta }) => [keyOf(meta), reading] as const)
  const serving = servingOf(lists, observed, () => undefined, undefined)
  return {
    view: { observed, serving, envoys: new Map(envoys) },
    target: targetOf(said('url') ?? '', said('dns') ?? '192.168.77.200'),
    standings: standingsOf(new Map([...pages].filter(([key]) => key.startsWith('projectcontour/')))),
  }
}

function standingsOf(pages: ReadonlyMap<Key, PageReading>): Standings {
  return pages.size === 0 ? { kind: 'notAsked' } : standingsIn(pages)
}

/** Documents of kind `Page`: what the pod of that name serves. */
function pagesOf(objects: readonly RawObject[]): ReadonlyMap<Key, PageReading> {
  const pages = objects.filter(({ kind }) => kind === 'Page')
  return new Map(
    pages.map(({ metadata, text }) => [
      keyOf({ namespace: metadata.namespace ?? '', name: metadata.name }),
      { kind: 'text', text: String(text) },
    ]),
  )
}

export function objectsOf(name: string): readonly RawObject[] {
  const [base = [], own = []] = ['base', name].map((one) =>
    documents(readFileSync(new URL(`${one}.yaml`, folder), 'utf8')),
  )
  return merged(base, own)
}

function names(list: string | undefined): readonly string[] {
  return list?.split(',').map((one) => one.trim()) ?? []
}

function documents(text: string): readonly RawObject[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as RawObject | null) ?? [])
}

function merged(base: readonly RawObject[], own: readonly RawObject[]): readonly RawObject[] {
  const identity = ({ kind, metadata }: RawObject) => `${kind} ${metadata.namespace}/${metadata.name}`
  const all = new Map([...base, ...own].map((object) => [identity(object), object]))
  return [...all.values()].filter((object) => object['absent'] !== true)
}

export function listsFor(objects: readonly object[]): Lists {
  return listsOf(objects as readonly RawObject[], [], [])
}

function listsOf(
  objects: readonly RawObject[],
  forbidden: readonly string[],
  absent: readonly string[],
): Lists {
  return new Map(
    listedKinds(places).map(({ name, type, selection }): readonly [string, Read<RawObject>] => {
      const { kind, apiVersion } = type
      const message = `${kind.toLowerCase()}s is forbidden: User "me" cannot list it`
      if (forbidden.includes(name)) return [name, { items: [], gap: { why: 'forbidden', message } }]
      if (absent.includes(name)) return [name, { items: [], gap: { why: 'notInstalled', message: '404' } }]
      const items = objects.filter((object) => object.kind === kind && isIn(selection, object))
      return [name, { items: items.map((object) => ({ ...object, apiVersion })) }]
    }),
  )
}

function isIn({ namespace }: Selection, { kind, metadata }: RawObject): boolean {
  return kind !== 'ConfigMap' || metadata.namespace === namespace
}

function readingOf(how: string): EnvoyReading {
  if (how === 'forbidden') return { kind: 'unreadable', why: 'forbidden: needs get on pods/proxy' }
  const refused = how === 'refusing' ? 3 : 0
  const figures = { connected: how !== 'lost', state: 'live', listeners: 4, warming: 0, refused } as const
  return { kind: 'figures', figures }
}

export function targetOf(url: string, dns: string): Target {
  const read = readTarget(url, { method: 'GET', headers: [] })
  if (typeof read === 'string') throw new Error(read)
  const written: Addresses = { kind: 'written', all: [read.authority] }
  const resolved: Addresses =
    dns === 'none'
      ? { kind: 'none', why: `${read.host} is not in the DNS of this machine` }
      : { kind: 'resolved', all: [dns] }
  return { ...read, addresses: read.authorityIsAddress ? written : resolved }
}
