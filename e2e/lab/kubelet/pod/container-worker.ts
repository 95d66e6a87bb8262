// One container of a pod through all its runs: prepare, run, probe, end, wait, again, as the restart
// policy says. In: how to prepare and start a run. Out: a ContainerView that is current at each
// `onChange`, and `run()`, which resolves when there will be no further run.
import { constants as system } from 'node:os'
import type { PodEvent } from '../api/event-recorder.ts'
import type { Container, Probe } from '../api/pod.ts'
import type { ContainerProcess, Exit } from '../container/process.ts'
import { type BackoffSettings, nextWait } from './backoff.ts'
import { type CheckTarget, check } from './check.ts'
import type { ContainerPhase, ContainerView, Ended } from './pod-status.ts'
import { ProbeLoop } from './probe-loop.ts'

export type Started =
  | { readonly ok: true; readonly process: ContainerProcess }
  | { readonly ok: false; readonly reason: string; readonly message: string }

export interface ContainerWorkerOptions {
  readonly container: Container
  readonly role: ContainerView['role']
  readonly restart: 'Always' | 'OnFailure' | 'Never'
  readonly backoff: BackoffSettings
  readonly podIP: () => string
  readonly start: (run: number) => Promise<Started>
  readonly terminationMessage: (failed: boolean) => string
  readonly onChange: () => void
  readonly onEvent: (event: PodEvent) => void
  /** Of the pod, for a container that its liveness probe ends. */
  readonly graceSeconds: number
}

const RETRY_MS = 2000

export class ContainerWorker {
  readonly #options: ContainerWorkerOptions
  readonly #stopping = new AbortController()
  #process: ContainerProcess | undefined
  #probes: { readonly kind: 'readiness' | 'liveness' | 'startup'; readonly loop: ProbeLoop }[] = []
  #phase: ContainerPhase = { kind: 'waiting', reason: 'ContainerCreating', message: '' }
  #last: Ended | undefined
  #restartCount = 0
  #started = false
  #ready = false
  #wake: () => void = () => {}

  constructor(options: ContainerWorkerOptions, waitingFor: string) {
    this.#options = options
    this.#phase = { kind: 'waiting', reason: waitingFor, message: '' }
  }

  get view(): ContainerView {
    const { container, role } = this.#options
    return {
      name: container.name,
      image: container.image,
      role,
      phase: this.#phase,
      last: this.#last,
      restartCount: this.#restartCount,
      started: this.#started,
      ready: this.#ready,
    }
  }

  get process(): ContainerProcess | undefined {
    return this.#process
  }

  /** Something that the container waits for may have come. */
  poke(): void {
    this.#wake()
  }

  /** Resolves with whether the last run succeeded. */
  async run(): Promise<boolean> {
    let waits = 0
    for (let run = 0; !this.#stopping.signal.aborted; run++) {
      const process = await this.#begin(run)
      if (process === undefined) break
      const startedAt = Date.now()
      const exit = await process.exited
      this.#end(exit, startedAt, process)
      if (this.#stopping.signal.aborted || !this.#startsAgain(exit)) return exit.code === 0
      const next = nextWait(this.#options.backoff, waits, Date.now() - startedAt)
      waits = next.waits
      await this.#backOff(next.waitMs)
      this.#restartCount += 1
    }
    return false
  }

  /** preStop, SIGTERM, and SIGKILL when the grace is over; resolves when nothing runs any more. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    this.#wake()
    await this.#terminate(graceMs)
  }

  kill(): void {
    this.#stopping.abort()
    this.#wake()
    this.#process?.kill()
  }

  async #begin(run: number): Promise<ContainerProcess | undefined> {
    while (!this.#stopping.signal.aborted) {
      const started = await this.#options.start(run)
      if (started.ok) {
        this.#process = started.process
        this.#running(started.process)
        return started.process
      }
      this.#set({ kind: 'waiting', reason: started.reason, message: started.message })
      this.#options.onEvent({ type: 'Warning', reason: 'Failed', message: started.message })
      await this.#pause(RETRY_MS)
    }
    return undefined
  }

  #running(process: ContainerProcess): void {
    const { container } = this.#options
    this.#started = container.startupProbe === undefined
    this.#ready = this.#started && container.readinessProbe === undefined
    const containerID = `lab://${process.pid}`
    this.#set({ kind: 'running', startedAt: timestamp(Date.now()), containerID })
    this.#options.onEvent({
      type: 'Normal',
      reason: 'Started',
      message: `Started container ${container.name}`,
    })
    if (this.#stopping.signal.aborted) {
      // Stopped while it was being started.
      process.kill()
      return
    }
    const hook = container.lifecycle?.postStart
    if (hook !== undefined)
      void check(hook, this.#target(process), 30_000).then((p) => this.#postStarted(p, process))
    if (container.startupProbe === undefined) this.#probeRunning(process)
    else this.#probe('startup', container.startupProbe, process)
  }

  #postStarted(problem: string | undefined, process: ContainerProcess): void {
    if (problem === undefined || this.#process !== process) return
    this.#options.onEvent({ type: 'Warning', reason: 'FailedPostStartHook', message: problem })
    void this.#terminate(this.#options.graceSeconds * 1000)
  }

  #probeRunning(process: ContainerProcess): void {
    const { readinessProbe, livenessProbe } = this.#options.container
    if (readinessProbe !== undefined) this.#probe('readiness', readinessProbe, process)
    if (livenessProbe !== undefined) this.#probe('liveness', livenessProbe, process)
  }

  #probe(kind: 'readiness' | 'liveness' | 'startup', probe: Probe, process: ContainerProcess): void {
    const loop = new ProbeLoop({
      probe,
      target: this.#target(process),
      eager: kind !== 'liveness',
      onVerdict: (ok, message) => this.#verdict(kind, probe, process, ok, message),
      onFailure: (message) =>
        this.#options.onEvent({
          type: 'Warning',
          reason: 'Unhealthy',
          message: `${kind[0]?.toUpperCase()}${kind.slice(1)} probe failed: ${message}`,
        }),
    })
    this.#probes.push({ kind, loop })
  }

  #verdict(kind: string, probe: Probe, process: ContainerProcess, ok: boolean, message: string): void {
    if (this.#process !== process) return
    const { container, onEvent, onChange } = this.#options
    if (kind === 'readiness') this.#ready = ok
    if (kind === 'startup' && ok) {
      this.#stopProbes(['startup'])
      this.#started = true
      this.#ready = container.readinessProbe === undefined
      this.#probeRunning(process)
    }
    if (kind !== 'readiness' && !ok) {
      onEvent({
        type: 'Normal',
        reason: 'Killing',
        message: `Container ${container.name} failed ${kind} probe, will be restarted: ${message}`,
      })
      void this.#terminate((probe.terminationGracePeriodSeconds ?? this.#options.graceSeconds) * 1000)
    }
    onChange()
  }

  #target(process: ContainerProcess): CheckTarget {
    return {
      container: this.#options.container,
      podIP: this.#options.podIP(),
      exec: (argv, timeoutMs) => process.exec(argv, timeoutMs),
    }
  }

  /** Readiness goes on being probed, so that endpoints show when it stops serving. */
  async #terminate(graceMs: number): Promise<void> {
    const process = this.#process
    if (process === undefined) return
    this.#stopProbes(['liveness', 'startup'])
    const begun = Date.now()
    const hook = this.#options.container.lifecycle?.preStop
    if (hook !== undefined && graceMs > 0) {
      const gone = process.exited.then(() => undefined)
      const problem = await Promise.race([check(hook, this.#target(process), graceMs), gone])
      if (problem !== undefined) {
        this.#options.onEvent({ type: 'Warning', reason: 'FailedPreStopHook', message: problem })
      }
    }
    process.signal('SIGTERM')
    // A hook that used up the grace still leaves the program two seconds, as the kubelet does.
    const left = Math.max(graceMs - (Date.now() - begun), graceMs === 0 || hook === undefined ? 0 : 2000)
    const timer = setTimeout(() => process.kill(), left)
    await process.exited
    clearTimeout(timer)
  }

  #end(exit: Exit, startedAt: number, process: ContainerProcess): void {
    this.#stopProbes(['readiness', 'liveness', 'startup'])
    this.#process = undefined
    this.#started = false
    this.#ready = false
    const ended: Ended = {
      exitCode: exit.code,
      signal: exit.signal === undefined ? undefined : system.signals[exit.signal],
      reason: exit.code === 0 ? 'Completed' : 'Error',
      message: this.#options.terminationMessage(exit.code !== 0),
      startedAt: timestamp(startedAt),
      finishedAt: timestamp(Date.now()),
      containerID: `lab://${process.pid}`,
    }
    this.#last = ended
    this.#set({ kind: 'terminated', ended })
  }

  #startsAgain(exit: Exit): boolean {
    return this.#options.restart === 'Always' || (this.#options.restart === 'OnFailure' && exit.code !== 0)
  }

  async #backOff(waitMs: number): Promise<void> {
    if (waitMs === 0) return
    const { container, onEvent } = this.#options
    const message = `back-off ${waitMs / 1000}s restarting failed container=${container.name}`
    this.#set({ kind: 'waiting', reason: 'CrashLoopBackOff', message })
    onEvent({ type: 'Warning', reason: 'BackOff', message })
    const until = Date.now() + waitMs
    while (Date.now() < until && !this.#stopping.signal.aborted) await this.#pause(until - Date.now())
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

  #stopProbes(kinds: readonly string[]): void {
    for (const { kind, loop } of this.#probes) if (kinds.includes(kind)) loop.stop()
    this.#probes = this.#probes.filter(({ kind }) => !kinds.includes(kind))
  }

  #set(phase: ContainerPhase): void {
    this.#phase = phase
    this.#options.onChange()
  }
}

/** RFC 3339 to the second, as the API's Time has it. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
