// A container's environment: service variables of the API server, envFrom, env (in order, each may
// use the ones before it as $(NAME)). In: the container, the pod, lookups of what it refers to.
// Out: the variables in order, or everything that keeps it from starting.
import type { ConfigMap, Container, EnvVar, KeyRef, Pod, Secret } from '../api/pod.ts'
import { expand } from './expansion.ts'
import { fieldValue, type PodPlace, resourceValue } from './field-reference.ts'

export interface EnvironmentInput {
  readonly pod: Pod
  readonly container: Container
  readonly place: PodPlace
  readonly secret: (name: string) => Secret | undefined
  readonly configMap: (name: string) => ConfigMap | undefined
  /** Of the Service default/kubernetes. */
  readonly apiServer: { readonly host: string; readonly port: number }
}

export type EnvironmentOutcome =
  | { readonly ok: true; readonly variables: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly problems: readonly string[] }

export function environment(input: EnvironmentInput): EnvironmentOutcome {
  const variables = new Map(apiServerVariables(input.apiServer))
  const problems: string[] = []
  for (const source of input.container.envFrom ?? []) {
    const reference = source.secretRef ?? source.configMapRef
    if (reference === undefined) continue
    const kind = source.secretRef === undefined ? 'configmap' : 'secret'
    const values =
      kind === 'secret' ? decoded(input.secret(reference.name)) : texts(input.configMap(reference.name))
    if (values === undefined && reference.optional !== true)
      problems.push(`${kind} "${reference.name}" not found`)
    for (const [key, value] of Object.entries(values ?? {})) variables.set((source.prefix ?? '') + key, value)
  }
  for (const entry of input.container.env ?? []) {
    const value = valueOf(input, entry, variables)
    if (value.kind === 'value') variables.set(entry.name, value.value)
    if (value.kind === 'problem') problems.push(value.problem)
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, variables }
}

type Value =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'problem'; readonly problem: string }

function valueOf(input: EnvironmentInput, entry: EnvVar, before: ReadonlyMap<string, string>): Value {
  const from = entry.valueFrom
  if (from === undefined) return { kind: 'value', value: expand(entry.value ?? '', before) }
  if (from.fieldRef !== undefined) {
    return known(
      fieldValue(input.pod, input.place, from.fieldRef),
      `unknown field ${from.fieldRef.fieldPath}`,
    )
  }
  if (from.resourceFieldRef !== undefined) {
    const value = resourceValue(input.pod, input.container, input.place, from.resourceFieldRef)
    return known(value, `unknown resource ${from.resourceFieldRef.resource}`)
  }
  if (from.secretKeyRef !== undefined) {
    return keyed(from.secretKeyRef, decoded(input.secret(from.secretKeyRef.name)), 'secret')
  }
  if (from.configMapKeyRef !== undefined) {
    return keyed(from.configMapKeyRef, texts(input.configMap(from.configMapKeyRef.name)), 'configmap')
  }
  return { kind: 'problem', problem: `env ${entry.name}: a valueFrom that the lab does not know` }
}

function known(value: string | undefined, problem: string): Value {
  return value === undefined ? { kind: 'problem', problem } : { kind: 'value', value }
}

function keyed(reference: KeyRef, values: Readonly<Record<string, string>> | undefined, kind: string): Value {
  const value = values?.[reference.key]
  if (value !== undefined) return { kind: 'value', value }
  if (reference.optional === true) return { kind: 'absent' }
  const problem =
    values === undefined
      ? `${kind} "${reference.name}" not found`
      : `couldn't find key ${reference.key} in ${kind} "${reference.name}"`
  return { kind: 'problem', problem }
}

function decoded(secret: Secret | undefined): Readonly<Record<string, string>> | undefined {
  if (secret === undefined) return undefined
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]),
  )
}

function texts(map: ConfigMap | undefined): Readonly<Record<string, string>> | undefined {
  return map === undefined ? undefined : (map.data ?? {})
}

function apiServerVariables(
  apiServer: EnvironmentInput['apiServer'],
): readonly (readonly [string, string])[] {
  const { host } = apiServer
  const port = String(apiServer.port)
  const url = `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`
  return [
    ['KUBERNETES_SERVICE_HOST', host],
    ['KUBERNETES_SERVICE_PORT', port],
    ['KUBERNETES_SERVICE_PORT_HTTPS', port],
    ['KUBERNETES_PORT', url],
    [`KUBERNETES_PORT_${port}_TCP`, url],
    [`KUBERNETES_PORT_${port}_TCP_PROTO`, 'tcp'],
    [`KUBERNETES_PORT_${port}_TCP_PORT`, port],
    [`KUBERNETES_PORT_${port}_TCP_ADDR`, host],
  ]
}
