// What stands in a secret, configMap, downwardAPI or projected volume. In: the volume, the pod and
// lookups of what it refers to. Out: the files, or everything that is still missing.
import type { ConfigMap, DownwardFile, KeyToPath, Pod, ProjectedSource, Secret, Volume } from '../api/pod.ts'
import { fieldValue, type PodPlace, resourceValue } from '../container/field-reference.ts'

export interface VolumeFile {
  /** Relative, may have directories. */
  readonly path: string
  readonly content: Buffer
  readonly mode: number
}

export interface PayloadInput {
  readonly pod: Pod
  readonly place: PodPlace
  readonly secret: (name: string) => Secret | undefined
  readonly configMap: (name: string) => ConfigMap | undefined
  /** The token fetched for this projected source. */
  readonly token: (source: ProjectedSource) => string | undefined
}

export type Payload =
  | { readonly ok: true; readonly files: readonly VolumeFile[] }
  | { readonly ok: false; readonly problems: readonly string[] }

const DEFAULT_MODE = 0o644

interface Collected {
  readonly files: VolumeFile[]
  readonly problems: string[]
}

/** Undefined for a volume that has no content of its own (emptyDir, hostPath). */
export function payload(volume: Volume, input: PayloadInput): Payload | undefined {
  const sources = sourcesOf(volume)
  if (sources === undefined) return undefined
  const out: Collected = { files: [], problems: [] }
  for (const source of sources.sources) collect(source, sources.mode, input, out)
  for (const { path } of out.files) {
    if (path.startsWith('/') || path.split('/').includes('..'))
      out.problems.push(`path ${path} leaves the volume`)
  }
  if (out.problems.length > 0) return { ok: false, problems: out.problems }
  // A later source wins a path that two sources claim.
  const byPath = new Map(out.files.map((file) => [file.path, file]))
  return { ok: true, files: [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** The ConfigMaps and Secrets that the volume refers to. */
export function payloadReferences(volume: Volume): readonly { kind: 'ConfigMap' | 'Secret'; name: string }[] {
  return (sourcesOf(volume)?.sources ?? []).flatMap((source) => [
    ...(source.secret === undefined ? [] : [{ kind: 'Secret' as const, name: source.secret.name }]),
    ...(source.configMap === undefined ? [] : [{ kind: 'ConfigMap' as const, name: source.configMap.name }]),
  ])
}

/** Every kind of content volume as the projected volume it is a short form of. */
function sourcesOf(
  volume: Volume,
): { readonly sources: readonly ProjectedSource[]; readonly mode: number } | undefined {
  if (volume.secret !== undefined) {
    const { secretName, defaultMode, ...rest } = volume.secret
    return { sources: [{ secret: { name: secretName, ...rest } }], mode: defaultMode ?? DEFAULT_MODE }
  }
  if (volume.configMap !== undefined) {
    const { defaultMode, ...rest } = volume.configMap
    return { sources: [{ configMap: rest }], mode: defaultMode ?? DEFAULT_MODE }
  }
  if (volume.downwardAPI !== undefined) {
    const { defaultMode, ...rest } = volume.downwardAPI
    return { sources: [{ downwardAPI: rest }], mode: defaultMode ?? DEFAULT_MODE }
  }
  if (volume.projected !== undefined) {
    return { sources: volume.projected.sources ?? [], mode: volume.projected.defaultMode ?? DEFAULT_MODE }
  }
  return undefined
}

function collect(source: ProjectedSource, mode: number, input: PayloadInput, out: Collected): void {
  if (source.secret !== undefined) {
    const data = input.secret(source.secret.name)
    keys(`secret "${source.secret.name}"`, data && binary(data.data), source.secret, mode, out)
  }
  if (source.configMap !== undefined) {
    const map = input.configMap(source.configMap.name)
    const data = map && new Map([...text(map.data), ...binary(map.binaryData)])
    keys(`configmap "${source.configMap.name}"`, data, source.configMap, mode, out)
  }
  for (const item of source.downwardAPI?.items ?? []) downward(item, mode, input, out)
  if (source.serviceAccountToken !== undefined) {
    const { path } = source.serviceAccountToken
    const token = input.token(source)
    if (token === undefined)
      out.problems.push(`no token yet for serviceaccount "${input.pod.spec.serviceAccountName}"`)
    else out.files.push({ path, content: Buffer.from(token), mode: tokenMode(input.pod, mode) })
  }
}

function keys(
  what: string,
  data: ReadonlyMap<string, Buffer> | undefined,
  reference: { readonly items?: readonly KeyToPath[]; readonly optional?: boolean },
  mode: number,
  out: Collected,
): void {
  if (data === undefined) {
    if (reference.optional !== true) out.problems.push(`${what} not found`)
    return
  }
  const items = reference.items ?? [...data.keys()].map((key): KeyToPath => ({ key, path: key }))
  for (const item of items) {
    const content = data.get(item.key)
    if (content !== undefined) out.files.push({ path: item.path, content, mode: item.mode ?? mode })
    else if (reference.optional !== true) out.problems.push(`${what} has no key ${item.key}`)
  }
}

function downward(item: DownwardFile, mode: number, input: PayloadInput, out: Collected): void {
  const value =
    item.fieldRef === undefined
      ? item.resourceFieldRef && resourceValue(input.pod, undefined, input.place, item.resourceFieldRef)
      : fieldValue(input.pod, input.place, item.fieldRef)
  if (value === undefined) out.problems.push(`downwardAPI item ${item.path} names an unknown field`)
  else out.files.push({ path: item.path, content: Buffer.from(value), mode: item.mode ?? mode })
}

/** The kubelet keeps tokens to their user where it knows one: fsGroup, or one uid in all containers. */
function tokenMode(pod: Pod, mode: number): number {
  return pod.spec.securityContext?.fsGroup !== undefined || commonUser(pod) !== undefined ? 0o600 : mode
}

export function commonUser(pod: Pod): number | undefined {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const users = new Set(
    containers.map((c) => c.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser),
  )
  return users.size === 1 ? [...users][0] : undefined
}

function binary(data: Readonly<Record<string, string>> | undefined): Map<string, Buffer> {
  return new Map(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
}

function text(data: Readonly<Record<string, string>> | undefined): Map<string, Buffer> {
  return new Map(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value)]))
}
