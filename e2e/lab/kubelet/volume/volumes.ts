// The volumes of one pod on disk: made before its first container, kept current while it runs
// (a changed Secret or ConfigMap is written at once, a token before it expires), removed with it.
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiClient } from '../api/api-client.ts'
import type { ObjectCache, Referenced } from '../api/object-cache.ts'
import type { ConfigMap, Container, Pod, ProjectedSource, Secret, Volume } from '../api/pod.ts'
import { expand } from '../container/expansion.ts'
import type { PodPlace } from '../container/field-reference.ts'
import { resolveMountPath } from '../container/mount-path.ts'
import { parseQuantity } from '../container/quantity.ts'
import type { Mount } from '../container/script.ts'
import { mountMemory, unmountBelow } from '../process/mounts.ts'
import { writeVolume } from './atomic-writer.ts'
import { commonUser, type Payload, payload, payloadReferences } from './payload.ts'
import { PodTokens } from './tokens.ts'

export interface VolumesOptions {
  readonly client: ApiClient
  readonly cache: ObjectCache
  readonly pod: Pod
  readonly place: PodPlace
  readonly directory: string
  /** Something that the pod refers to has come, changed or gone. */
  readonly onChange: () => void
}

export class PodVolumes {
  readonly #options: VolumesOptions
  readonly #held: readonly Referenced[]
  readonly #tokens: PodTokens
  readonly #written = new Map<string, string>()
  #pod: Pod

  constructor(options: VolumesOptions) {
    this.#options = options
    this.#pod = options.pod
    this.#held = references(options.pod)
    this.#tokens = new PodTokens(options.client, options.pod, options.onChange)
    for (const reference of this.#held) options.cache.hold(reference, options.onChange)
  }

  secret = (name: string): Secret | undefined => this.#lookup('Secret', name)
  configMap = (name: string): ConfigMap | undefined => this.#lookup('ConfigMap', name)

  /** Brings the disk in line with the API objects; what is missing, in words, when something is. */
  refresh(pod: Pod): readonly string[] {
    this.#pod = pod
    return (pod.spec.volumes ?? []).flatMap((volume) => this.#prepare(volume))
  }

  /** Where each mount of the container comes from and goes to; throws when refresh told of problems. */
  mounts(container: Container, variables: ReadonlyMap<string, string>): readonly Mount[] {
    return (container.volumeMounts ?? []).map((mount) => {
      const volume = this.#pod.spec.volumes?.find((v) => v.name === mount.name)
      if (volume === undefined)
        throw new Error(`container ${container.name} mounts unknown volume ${mount.name}`)
      const base = this.#directory(volume)
      const below = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, variables)
      const source = below === undefined ? base : join(base, below)
      if (below !== undefined && !existsSync(source)) mkdirSync(source, { recursive: true })
      const content = volume.emptyDir === undefined && volume.hostPath === undefined
      return {
        source,
        target: resolveMountPath(mount.mountPath),
        kind: statSync(source).isDirectory() ? 'directory' : 'file',
        readOnly: mount.readOnly === true || content,
        recursive: volume.hostPath !== undefined,
      }
    })
  }

  close(): void {
    for (const reference of this.#held) this.#options.cache.release(reference, this.#options.onChange)
    this.#tokens.stop()
    unmountBelow(this.#options.directory)
    rmSync(this.#options.directory, { recursive: true, force: true })
  }

  #lookup(kind: 'Secret' | 'ConfigMap', name: string): (Secret & ConfigMap) | undefined {
    const found = this.#options.cache.get({ kind, namespace: this.#pod.metadata.namespace, name })
    return found?.found === true ? found.object : undefined
  }

  #directory(volume: Volume): string {
    return volume.hostPath?.path ?? join(this.#options.directory, volume.name)
  }

  #prepare(volume: Volume): readonly string[] {
    const directory = this.#directory(volume)
    if (volume.hostPath !== undefined) return prepareHostPath(volume.hostPath)
    if (volume.emptyDir !== undefined) {
      if (!existsSync(directory)) this.#makeEmpty(directory, volume.emptyDir)
      return []
    }
    const waiting = this.#waiting(volume)
    if (waiting.length > 0) return waiting
    const content = payload(volume, {
      pod: this.#pod,
      place: this.#options.place,
      secret: this.secret,
      configMap: this.configMap,
      token: (source: ProjectedSource) => this.#tokens.get(source),
    })
    if (content === undefined) return [`volume ${volume.name} is of a type that the lab does not have`]
    if (!content.ok) return content.problems.map((problem) => `volume "${volume.name}": ${problem}`)
    this.#write(volume.name, directory, content)
    return []
  }

  /** The first answer decides between "optional and absent" and "not known yet". */
  #waiting(volume: Volume): readonly string[] {
    const { namespace } = this.#pod.metadata
    return payloadReferences(volume)
      .filter((reference) => this.#options.cache.get({ ...reference, namespace }) === undefined)
      .map(({ kind, name }) => `volume "${volume.name}": ${kind} "${name}" is not known yet`)
  }

  #write(name: string, directory: string, content: Payload & { readonly ok: true }): void {
    const fingerprint = JSON.stringify(
      content.files.map((f) => [f.path, f.mode, f.content.toString('base64')]),
    )
    if (this.#written.get(name) === fingerprint) return
    const group = this.#pod.spec.securityContext?.fsGroup
    writeVolume(directory, content.files, { privateUser: commonUser(this.#pod), group })
    this.#written.set(name, fingerprint)
  }

  #makeEmpty(directory: string, { medium, sizeLimit }: NonNullable<Volume['emptyDir']>): void {
    const group = this.#pod.spec.securityContext?.fsGroup
    mkdirSync(directory, { recursive: true })
    if (medium === 'Memory')
      mountMemory(directory, sizeLimit === undefined ? undefined : parseQuantity(sizeLimit))
    if (group !== undefined) chownSync(directory, 0, group)
    chmodSync(directory, group === undefined ? 0o777 : 0o2777)
  }
}

function prepareHostPath(hostPath: { readonly path: string; readonly type?: string }): readonly string[] {
  if (existsSync(hostPath.path)) return []
  switch (hostPath.type ?? '') {
    case '':
    case 'DirectoryOrCreate':
      mkdirSync(hostPath.path, { recursive: true })
      return []
    case 'FileOrCreate':
      writeFileSync(hostPath.path, '')
      return []
    default:
      return [`hostPath ${hostPath.path}: nothing there`]
  }
}

function references(pod: Pod): readonly Referenced[] {
  const { namespace } = pod.metadata
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const all = [
    ...(pod.spec.volumes ?? []).flatMap(payloadReferences),
    ...containers.flatMap((container) => [
      ...(container.envFrom ?? []).flatMap((from) => [
        ...(from.secretRef === undefined ? [] : [{ kind: 'Secret' as const, name: from.secretRef.name }]),
        ...(from.configMapRef === undefined
          ? []
          : [{ kind: 'ConfigMap' as const, name: from.configMapRef.name }]),
      ]),
      ...(container.env ?? []).flatMap(({ valueFrom: from }) => [
        ...(from?.secretKeyRef === undefined
          ? []
          : [{ kind: 'Secret' as const, name: from.secretKeyRef.name }]),
        ...(from?.configMapKeyRef === undefined
          ? []
          : [{ kind: 'ConfigMap' as const, name: from.configMapKeyRef.name }]),
      ]),
    ]),
  ]
  const unique = new Map(all.map((reference) => [`${reference.kind}/${reference.name}`, reference]))
  return [...unique.values()].map((reference) => ({ ...reference, namespace }))
}
