// From a container's spec to what is run: image, command line, environment, user and mounts together,
// or the reason (as `kubectl get pod` shows it) why it cannot be run.
import { statSync } from 'node:fs'
import { findImage, IMAGE_MAP_FILE, type ImageMap, type ImageProgram } from '../../images/image-map.ts'
import type { Container } from '../api/pod.ts'
import { type EnvironmentInput, environment } from './environment.ts'
import { expand } from './expansion.ts'
import { processIdentity } from './identity.ts'
import { resolveMountPath } from './mount-path.ts'
import type { ContainerPlan, Mount } from './script.ts'

export interface PlanInput extends EnvironmentInput {
  readonly images: ImageMap
  readonly hostname: string
  readonly networkNamespace: string | undefined
  /** Volumes and the files of every pod. */
  readonly mounts: (variables: ReadonlyMap<string, string>) => readonly Mount[]
  /** Writes an executable script and tells where. */
  readonly writeScript: (path: string, text: string) => string
}

export type PlanOutcome =
  | { readonly ok: true; readonly plan: ContainerPlan }
  | { readonly ok: false; readonly reason: PlanRefusal; readonly message: string }

export type PlanRefusal = 'ErrImagePull' | 'CreateContainerConfigError'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function containerPlan(input: PlanInput): PlanOutcome {
  const { pod, container } = input
  const image = findImage(input.images, container.image)
  if (image === undefined) {
    const message = `no program stands for image "${container.image}"; ${IMAGE_MAP_FILE} says which images there are`
    return { ok: false, reason: 'ErrImagePull', message }
  }
  const identity = processIdentity(pod, container, image.user ?? 0)
  const variables = environment(input)
  const problems = [...(identity.ok ? [] : identity.problems), ...(variables.ok ? [] : variables.problems)]
  const argv = commandLine(container, image, variables.ok ? variables.variables : new Map())
  if (argv.length === 0) problems.push(`container ${container.name}: image and spec name no command`)
  if (!identity.ok || !variables.ok || problems.length > 0) {
    return { ok: false, reason: 'CreateContainerConfigError', message: problems.join('; ') }
  }
  const { uid } = identity.identity
  return {
    ok: true,
    plan: {
      hostname: input.hostname,
      networkNamespace: input.networkNamespace,
      mounts: [...imageMounts(image, input.writeScript), ...input.mounts(variables.variables)],
      identity: identity.identity,
      environment: new Map([
        ['PATH', PATH],
        ['HOSTNAME', input.hostname],
        ['HOME', uid === 0 ? '/root' : '/'],
        ...Object.entries(image.environment ?? {}),
        ...variables.variables,
      ]),
      argv,
      workingDirectory: container.workingDir ?? image.workingDirectory ?? '/',
      readOnlyRoot: container.securityContext?.readOnlyRootFilesystem === true,
      privileged: container.securityContext?.privileged === true,
    },
  }
}

/** `command` replaces the entrypoint and, unless args are given too, the image's arguments. */
export function commandLine(
  container: Pick<Container, 'command' | 'args'>,
  image: Pick<ImageProgram, 'entrypoint' | 'arguments'>,
  variables: ReadonlyMap<string, string>,
): readonly string[] {
  const given = (list: readonly string[] | undefined) =>
    list === undefined || list.length === 0 ? undefined : list
  const command = given(container.command)?.map((word) => expand(word, variables))
  const args = given(container.args)?.map((word) => expand(word, variables))
  if (command === undefined) return [...image.entrypoint, ...(args ?? image.arguments ?? [])]
  return [...command, ...(args ?? [])]
}

function imageMounts(image: ImageProgram, writeScript: PlanInput['writeScript']): readonly Mount[] {
  return image.files.map((file) => {
    const source = file.kind === 'bind' ? file.source : writeScript(file.path, file.text)
    const kind = statSync(source).isDirectory() ? 'directory' : 'file'
    return { source, target: resolveMountPath(file.path), kind, readOnly: true }
  })
}
