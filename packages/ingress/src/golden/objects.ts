/** Objects as YAML documents → the changes that bring them into an empty world. */
import {
  type ExtensionService,
  extensionService,
  type HTTPProxy,
  httpProxy,
  type TLSCertificateDelegation,
  tlsCertificateDelegation,
} from '@landfall/api'
import { customType, endpointSliceType, ingressType, type RawObject, serviceType } from '@landfall/kube'
import { keyOf } from '@landfall/kube/model'
import { parse, parseAllDocuments } from 'yaml'
import { type DagOptions, defaultDagOptions } from '../dag/options.ts'
import type { Change, SliceChange } from '../model/objects.ts'
import { tlsSecretType } from '../serve/tls-secret.ts'

export interface Objects {
  readonly changes: readonly Change[]
  readonly slices: readonly SliceChange[]
}

const httpProxyType = customType<HTTPProxy>(httpProxy)
const extensionType = customType<ExtensionService>(extensionService)
const delegationType = customType<TLSCertificateDelegation>(tlsCertificateDelegation)

/** @throws at a kind that translation does not read */
export function readObjects(text: string): Objects {
  const changes: Change[] = []
  const slices: SliceChange[] = []
  for (const document of parseAllDocuments(text)) {
    const raw = withData(document.toJS() as RawObject)
    if (raw.kind === 'EndpointSlice') {
      const after = endpointSliceType.project(raw)
      slices.push({ key: keyOf(after.meta), before: undefined, after })
    } else changes.push(changeOf(raw))
  }
  return { changes, slices }
}

/** What the head of a case sets: `# dag: {...}` as YAML, `# root namespaces: ...`. */
export function settingsOf(text: string): DagOptions {
  const rootNamespaces = /^# root namespaces: (.*)$/m.exec(text)?.[1]?.split(' ') ?? []
  const [, settings = '{}'] = /^# dag: (.*)$/m.exec(text) ?? []
  return { ...defaultDagOptions, rootNamespaces, ...(parse(settings) as Partial<DagOptions>) }
}

function changeOf(raw: RawObject): Change {
  const key = `${raw.metadata.namespace ?? ''}/${raw.metadata.name}`
  const added = { key, before: undefined }
  switch (raw.kind) {
    case 'Ingress':
      return { kind: 'ingress', ...added, after: ingressType.project(raw) }
    case 'HTTPProxy':
      return { kind: 'httpProxy', ...added, after: httpProxyType.project(raw) }
    case 'Service':
      return { kind: 'service', ...added, after: serviceType.project(raw) }
    case 'Secret':
      return { kind: 'secret', ...added, after: tlsSecretType.project(raw) }
    case 'TLSCertificateDelegation':
      return { kind: 'delegation', ...added, after: delegationType.project(raw) }
    case 'ExtensionService':
      return { kind: 'extensionService', ...added, after: extensionType.project(raw) }
    default:
      throw new Error(`${raw.kind ?? 'an object without kind'} "${key}" is not read by translation`)
  }
}

/** As the API server does: `stringData` is a way to write `data`. */
function withData(raw: RawObject): RawObject {
  const text = raw['stringData']
  if (typeof text !== 'object' || text === null) return raw
  const data = Object.entries(text).map(([name, value]) => [
    name,
    Buffer.from(String(value)).toString('base64'),
  ])
  return { ...raw, data: Object.fromEntries(data) }
}
