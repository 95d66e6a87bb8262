/**
 * The ConfigMap of MetalLB up to v0.12, or v0.13's AddressPool objects, from a file, from standard input or from the
 * cluster → the text of the metallb.io objects that say the same. What a reader should know before applying them stands
 * above as comments.
 */
import { readFileSync } from 'node:fs'
import { configMapType, nodeType, openCluster, type RawObject } from '@landfall/kube'
import type { ConfigMap, Node } from '@landfall/kube/model'
import { configKey } from '@landfall/metallb'
import { migrate } from '@landfall/metallb/legacy'
import { parseAllDocuments, stringify } from 'yaml'
import { addressPoolKind, asConfigMap, readAddressPools } from './address-pools.ts'
import { given, loggerOf } from './flags.ts'
import { readVersion } from './version.ts'

export interface MigrationFlags {
  readonly file?: string
  readonly kubeconfig?: string
  readonly namespace: string
  readonly config: string
}

interface Input {
  readonly configMap: ConfigMap
  /** For peers that are found on Nodes. */
  readonly nodes: readonly Node[]
}

export async function readInput(flags: MigrationFlags): Promise<Input> {
  return flags.file === undefined ? await readCluster(flags) : readText(flags, readFile(flags.file))
}

/** @throws when the ConfigMap is refused, with all reasons */
export function printMigration({ configMap, nodes }: Input): string {
  const { objects, notes, refusals } = migrate(configMap, nodes)
  const reasons = refusals.map(({ message }) => message)
  if (objects.length === 0 && reasons.length > 0)
    throw new Error(`nothing to migrate:\n${reasons.join('\n')}`)
  const comments = [...reasons.map((reason) => `refused: ${reason}`), ...notes].map((line) => `# ${line}\n`)
  return [...comments, ...objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`)].join('')
}

/** Objects as `kubectl get -o yaml` prints them, or only the text that stands under the ConfigMap's key. */
export function readText(
  { namespace, config }: Pick<MigrationFlags, 'namespace' | 'config'>,
  text: string,
): Input {
  const documents = parseAllDocuments(text, { uniqueKeys: false }).map(
    (document) => document.toJS() as unknown,
  )
  const objects = documents.flatMap(objectsIn)
  const pools = objects.filter(({ kind }) => kind === addressPoolKind)
  if (pools.length > 0) return { configMap: asConfigMap(pools, namespace), nodes: [] }
  const maps = objects.filter(({ kind, data }) => kind === 'ConfigMap' && configKey in fields(data))
  const raw = maps.find(({ metadata }) => metadata.name === config) ?? maps[0]
  const nodes = objects.filter(({ kind }) => kind === 'Node').map((raw) => nodeType.project(raw))
  if (raw !== undefined) return { configMap: configMapType.project(inNamespace(raw, namespace)), nodes }
  if (objects.length > 0)
    throw new Error(`there is neither a ConfigMap with a key ${configKey} nor an ${addressPoolKind}`)
  const whole = { metadata: { namespace, name: config }, data: { [configKey]: text } }
  return { configMap: configMapType.project(whole), nodes }
}

async function readCluster({ kubeconfig, namespace, config }: MigrationFlags): Promise<Input> {
  const userAgent = `landfall-migrate/${readVersion()}`
  const cluster = await openCluster({
    ...given('kubeconfig', kubeconfig),
    logger: loggerOf('none'),
    userAgent,
  })
  try {
    const pools = await readAddressPools(cluster, namespace)
    if (pools.length > 0) return { configMap: asConfigMap(pools, namespace), nodes: [] }
    const configMap = configMapType.project(await cluster.get(configMapType, `${namespace}/${config}`))
    const { items } = await cluster.list(nodeType)
    return { configMap, nodes: items.map((raw) => nodeType.project(raw)) }
  } finally {
    cluster.close()
  }
}

function readFile(path: string): string {
  return readFileSync(path === '-' ? 0 : path, 'utf8')
}

function objectsIn(value: unknown): readonly RawObject[] {
  const { kind, items, metadata } = fields(value)
  if (typeof kind !== 'string') return []
  if (Array.isArray(items)) return items.flatMap(objectsIn)
  return typeof metadata === 'object' && metadata !== null ? [value as RawObject] : []
}

function inNamespace(raw: RawObject, namespace: string): RawObject {
  return raw.metadata.namespace === undefined ? { ...raw, metadata: { ...raw.metadata, namespace } } : raw
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
