// One pod from its binding to its end: network, volumes, init containers, containers, status, and on
// deletion the way back. In: the pod's object and each newer version of it. Out: status, events, and
// `done` when nothing of the pod is left on the node.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { containerStatePath } from '../../kubelet-config.ts'
import type { Condition, Container, Pod } from '../api/pod.ts'
import type { PodSandbox } from '../network/pod-network.ts'
import type { NodeContext } from '../node/context.ts'
import { PodVolumes } from '../volume/volumes.ts'
import { KUBELET_BACKOFF } from './backoff.ts'
import { ContainerStarter } from './container-starter.ts'
import { ContainerWorker, timestamp } from './container-worker.ts'
import { hostPortsOf } from './host-port.ts'
import { type ContainerView, isOverruled, podStatus } from './pod-status.ts'
import { PodStatusWriter } from './status-writer.ts'

const RETRY_MS = 1000
const DEFAULT_GRACE_SECONDS = 30

export class PodWorker {
  readonly done: Promise<void>
  readonly directory: string
  readonly #context: NodeContext
  readonly #writer: PodStatusWriter
  readonly #startTime = timestamp(Date.now())
  readonly #workers: ContainerWorker[] = []
  readonly #deleted = new AbortController()
  readonly #running: Promise<unknown>[] = []
  #pod: Pod
  #sandbox: PodSandbox | undefined
  /** Kept when the network of a pod that is over has been given back. */
  #addresses: readonly [string, string] | undefined
  #volumes: PodVolumes | undefined
  #conditions: readonly Condition[] = []
  #publishing = false
  #graceMs = 0
  #wake: () => void = () => {}

  constructor(context: NodeContext, pod: Pod) {
    this.#context = context
    this.#pod = pod
    this.#writer = new PodStatusWriter(context.client, pod)
    this.directory = join(context.options.stateDir, 'work', pod.metadata.uid)
    mkdirSync(this.directory, { recursive: true })
    this.#makeWorkers()
    this.update(pod)
    this.done = this.#run().finally(() => this.#cleanUp())
  }

  get pod(): Pod {
    return this.#pod
  }

  get containers(): readonly ContainerView[] {
    return this.#workers.map((worker) => worker.view)
  }

  worker(container: string): ContainerWorker | undefined {
    return this.#workers.find((worker) => worker.view.name === container)
  }

  update(pod: Pod): void {
    this.#pod = pod
    this.#volumes?.refresh(pod)
    if (isOverruled(pod, this.#conditions)) {
      this.#writer.overruled()
      this.#publish()
    }
    if (pod.metadata.deletionTimestamp === undefined) return
    const seconds = pod.metadata.deletionGracePeriodSeconds ?? this.#graceSeconds()
    const shorter = this.#deleted.signal.aborted && seconds * 1000 < this.#graceMs
    this.#graceMs = seconds * 1000
    if (shorter) for (const worker of this.#workers) void worker.stop(this.#graceMs)
    this.#delete()
  }

  /** The object is gone from the API server, or the node ends: the pod goes too, within `graceMs`. */
  end(graceMs: number): void {
    this.#writer.abandon()
    this.#graceMs = graceMs
    this.#delete()
  }

  #delete(): void {
    this.#deleted.abort()
    this.#wake()
  }

  async #run(): Promise<void> {
    this.#publish()
    if (await this.#prepare()) {
      const initialized = await this.#initialize()
      if (initialized) await this.#runMain()
      // Main containers are over: what only served them goes too.
      if (!this.#deleted.signal.aborted) {
        await this.#stopAll(this.#graceSeconds() * 1000)
        await this.#releaseNetwork()
      }
    }
    await this.#untilDeleted()
    await this.#stopAll(this.#graceMs)
    await this.#writer.write(this.#status())
    await this.#releaseNetwork()
    await this.#writer.remove()
  }

  /** Network and volumes; false when the pod was deleted before they were there. */
  async #prepare(): Promise<boolean> {
    while (!this.#deleted.signal.aborted && this.#pod.spec.hostNetwork !== true) {
      try {
        await this.#prepareNetwork()
        break
      } catch (problem) {
        const event = { type: 'Warning', reason: 'FailedCreatePodSandBox', message: String(problem) } as const
        this.#context.events.record(this.#pod, event)
        await this.#pause(RETRY_MS)
      }
    }
    this.#publish()
    return this.#prepareVolumes()
  }

  async #prepareNetwork(): Promise<void> {
    const { network, hostPorts } = this.#context
    const { uid } = this.#pod.metadata
    this.#sandbox ??= await network.create(uid, this.#pod.spec.securityContext?.sysctls ?? [])
    this.#addresses = [this.#sandbox.addresses.v4, this.#sandbox.addresses.v6]
    await hostPorts.set(uid, hostPortsOf(this.#pod, this.#addresses))
  }

  async #prepareVolumes(): Promise<boolean> {
    const { client, cache, events } = this.#context
    const volumes = new PodVolumes({
      client,
      cache,
      pod: this.#pod,
      place: this.#place(),
      directory: join(this.directory, 'volumes'),
      onChange: () => this.#referencesChanged(),
    })
    this.#volumes = volumes
    const begun = Date.now()
    while (!this.#deleted.signal.aborted) {
      const missing = volumes.refresh(this.#pod)
      if (missing.length === 0) return true
      if (Date.now() - begun > 1000) {
        events.record(this.#pod, { type: 'Warning', reason: 'FailedMount', message: missing.join('; ') })
      }
      await this.#pause(RETRY_MS)
    }
    return false
  }

  #referencesChanged(): void {
    this.#volumes?.refresh(this.#pod)
    for (const worker of this.#workers) worker.poke()
    this.#wake()
  }

  async #initialize(): Promise<boolean> {
    for (const worker of this.#workers) {
      const { role } = worker.view
      if (role === 'main') continue
      if (this.#deleted.signal.aborted) return false
      const ended = this.#start(worker)
      if (role === 'init' && !(await ended)) return false
      if (role === 'sidecar') await this.#untilStarted(worker)
    }
    return !this.#deleted.signal.aborted
  }

  async #untilStarted(worker: ContainerWorker): Promise<void> {
    while (!worker.view.started && !this.#deleted.signal.aborted) await this.#pause(50)
  }

  async #runMain(): Promise<void> {
    const mains = this.#workers.filter((worker) => worker.view.role === 'main')
    await Promise.race([Promise.all(mains.map((worker) => this.#start(worker))), this.#untilDeleted()])
  }

  #start(worker: ContainerWorker): Promise<boolean> {
    const ended = worker.run()
    this.#running.push(ended)
    return ended
  }

  async #stopAll(graceMs: number): Promise<void> {
    const begun = Date.now()
    const of = (sidecar: boolean) => this.#workers.filter((w) => (w.view.role === 'sidecar') === sidecar)
    await Promise.all(of(false).map((worker) => worker.stop(graceMs)))
    await Promise.all(of(true).map((worker) => worker.stop(Math.max(graceMs - (Date.now() - begun), 0))))
    await Promise.all(this.#running)
  }

  #untilDeleted(): Promise<void> {
    const { signal } = this.#deleted
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  async #releaseNetwork(): Promise<void> {
    await this.#context.hostPorts.set(this.#pod.metadata.uid, []).catch(() => {})
    if (this.#sandbox !== undefined) await this.#context.network.remove(this.#sandbox)
    this.#sandbox = undefined
  }

  async #cleanUp(): Promise<void> {
    for (const worker of this.#workers) worker.kill()
    await this.#releaseNetwork()
    this.#volumes?.close()
    const { uid, namespace, name } = this.#pod.metadata
    for (const container of this.containers) {
      this.#context.logs.close(`${uid}/${container.name}`)
      rmSync(containerStatePath(this.#context.options.stateDir, namespace, name, container.name), {
        force: true,
      })
    }
    rmSync(this.directory, { recursive: true, force: true })
  }

  #makeWorkers(): void {
    const { spec } = this.#pod
    const policy = spec.restartPolicy ?? 'Always'
    const inits = spec.initContainers ?? []
    const starter = new ContainerStarter(this.#context, this.directory, () => ({
      pod: this.#pod,
      place: this.#place(),
      networkNamespace: this.#sandbox?.path,
      volumes: this.#volumes,
    }))
    for (const container of [...inits, ...spec.containers]) {
      const init = inits.includes(container)
      const sidecar = init && container.restartPolicy === 'Always'
      const restart = sidecar ? 'Always' : init && policy === 'Always' ? 'OnFailure' : policy
      const role = sidecar ? 'sidecar' : init ? 'init' : 'main'
      this.#workers.push(this.#makeWorker(container, role, restart, starter))
    }
  }

  #makeWorker(
    container: Container,
    role: ContainerView['role'],
    restart: 'Always' | 'OnFailure' | 'Never',
    starter: ContainerStarter,
  ): ContainerWorker {
    const waitingFor =
      (this.#pod.spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating'
    const { events, options } = this.#context
    return new ContainerWorker(
      {
        container,
        role,
        restart,
        backoff: options.backoff ?? KUBELET_BACKOFF,
        podIP: () => this.#podIPs()[0],
        start: (run) => starter.start(container, run),
        terminationMessage: (failed) => starter.terminationMessage(container, failed),
        onChange: () => this.#publish(),
        onEvent: (event) => events.record(this.#pod, event),
        graceSeconds: this.#graceSeconds(),
      },
      waitingFor,
    )
  }

  #graceSeconds(): number {
    return this.#pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS
  }

  #podIPs(): readonly [string, string] {
    return this.#addresses ?? this.#context.options.nodeIPs
  }

  #place() {
    const { options, capacity } = this.#context
    return { podIPs: this.#podIPs(), hostIPs: options.nodeIPs, capacity }
  }

  /** Changes of one moment go out as one status. */
  #publish(): void {
    if (this.#publishing) return
    this.#publishing = true
    setTimeout(() => {
      this.#publishing = false
      void this.#writer.write(this.#status())
    }, 10)
  }

  #status(): unknown {
    const known = this.#addresses !== undefined || this.#pod.spec.hostNetwork === true
    const status = podStatus({
      pod: this.#pod,
      containers: this.containers,
      podIPs: known ? this.#podIPs() : [],
      hostIPs: this.#context.options.nodeIPs,
      startTime: this.#startTime,
      now: timestamp(Date.now()),
      before: this.#conditions,
    })
    this.#conditions = status.conditions
    return status
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
