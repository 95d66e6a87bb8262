// Starts one run of a container: writes the files that every container gets, plans it, runs it.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { containerLogPath, containerStatePath } from '../../kubelet-config.ts'
import type { Container, Pod, VolumeMount } from '../api/pod.ts'
import type { PodPlace } from '../container/field-reference.ts'
import { resolveMountPath } from '../container/mount-path.ts'
import { containerPlan } from '../container/plan.ts'
import { ContainerProcess } from '../container/process.ts'
import { coresOf, limitFile, limitPrefix, limitProcessor } from '../container/processor-limit.ts'
import type { Mount } from '../container/script.ts'
import type { NodeContext } from '../node/context.ts'
import type { PodVolumes } from '../volume/volumes.ts'
import type { Started } from './container-worker.ts'
import { hostsFile, podHostname, resolvConf } from './pod-files.ts'

export interface PodSituation {
  readonly pod: Pod
  readonly place: PodPlace
  readonly networkNamespace: string | undefined
  readonly volumes: PodVolumes | undefined
}

const MESSAGE_BYTES = 4096
/** Of a log that stands in for a message. */
const LOGGED_MESSAGE_BYTES = 2048
const LOGGED_MESSAGE_LINES = 80

export class ContainerStarter {
  readonly #context: NodeContext
  readonly #directory: string
  readonly #situation: () => PodSituation

  constructor(context: NodeContext, directory: string, situation: () => PodSituation) {
    this.#context = context
    this.#directory = directory
    this.#situation = situation
  }

  async start(container: Container, run: number): Promise<Started> {
    try {
      return await this.#start(container, run)
    } catch (problem) {
      return {
        ok: false,
        reason: 'CreateContainerError',
        message: problem instanceof Error ? problem.message : String(problem),
      }
    }
  }

  terminationMessage(container: Container, failed: boolean): string {
    const file = this.#messageFile(container)
    const left = existsSync(file) ? readFileSync(file, 'utf8').slice(0, MESSAGE_BYTES) : ''
    if (left !== '' || !failed || container.terminationMessagePolicy !== 'FallbackToLogsOnError') return left
    const { uid } = this.#situation().pod.metadata
    const log = this.#context.logs.tail(`${uid}/${container.name}`, LOGGED_MESSAGE_BYTES)
    return log.split('\n').slice(-LOGGED_MESSAGE_LINES).join('\n')
  }

  async #start(container: Container, run: number): Promise<Started> {
    const { pod, place, networkNamespace, volumes } = this.#situation()
    const { options, images, logs } = this.#context
    if (volumes === undefined) throw new Error('started before its volumes')
    const hostname = podHostname(pod, options.nodeName)
    const cores = options.cpuLimits ? coresOf(container) : undefined
    const outcome = containerPlan({
      pod,
      container,
      place,
      images,
      hostname,
      networkNamespace,
      secret: volumes.secret,
      configMap: volumes.configMap,
      apiServer: { host: firstAddress(options.serviceCIDRs[0]), port: 443 },
      mounts: (variables) => [
        ...this.#podFiles(pod, container, hostname),
        ...volumes.mounts(container, variables),
        ...(cores === undefined ? [] : [limitFile(cores, join(this.#directory, 'limits', container.name))]),
      ],
      writeScript: (path, text) => this.#writeScript(path, text),
    })
    if (!outcome.ok) return outcome
    const { namespace, name, uid } = pod.metadata
    const process = await ContainerProcess.start({
      plan: outcome.plan,
      directory: join(this.#directory, 'runs', `${container.name}-${run}`),
      stateFile: containerStatePath(options.stateDir, namespace, name, container.name),
      onOutput: logs.begin(
        `${uid}/${container.name}`,
        containerLogPath(options.stateDir, namespace, name, container.name),
      ),
    })
    if (cores !== undefined) {
      limitProcessor(process, cores, `${limitPrefix(options)}${uid}-${container.name}-${run}`)
    }
    return { ok: true, process }
  }

  #podFiles(pod: Pod, container: Container, hostname: string): readonly Mount[] {
    const { options } = this.#context
    const { podIPs } = this.#situation().place
    const taken = new Set((container.volumeMounts ?? []).map((mount: VolumeMount) => mount.mountPath))
    const files = [
      { path: '/etc/hosts', text: hostsFile(pod, hostname, podIPs) },
      { path: '/etc/hostname', text: `${hostname}\n` },
      { path: '/etc/resolv.conf', text: resolvConf(pod, options) },
    ].filter(({ path }) => !taken.has(path))
    const message = this.#messageFile(container)
    this.#write(message, '', 0o666)
    return [
      ...files.map(({ path, text }): Mount => {
        const source = join(this.#directory, path)
        this.#write(source, text, 0o644)
        return { source, target: resolveMountPath(path), kind: 'file', readOnly: false }
      }),
      {
        source: message,
        target: resolveMountPath(container.terminationMessagePath ?? '/dev/termination-log'),
        kind: 'file',
        readOnly: false,
      },
    ]
  }

  #writeScript(path: string, text: string): string {
    const file = join(this.#directory, 'scripts', path.replaceAll('/', '_'))
    if (!existsSync(file)) this.#write(file, text, 0o755)
    return file
  }

  #messageFile(container: Container): string {
    return join(this.#directory, 'messages', container.name)
  }

  #write(path: string, text: string, mode: number): void {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, mode)
  }
}

/** The Service default/kubernetes has the first address of the Service range. */
function firstAddress(cidr: string): string {
  return cidr.replace(/\.0\/\d+$/, '.1')
}
