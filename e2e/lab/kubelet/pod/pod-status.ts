// The pod's status as the API server is told it: a pure function of what the containers do. Conditions
// of others (the scheduler's, readiness gates) are kept, transition times move only with the status.
import type { Condition, Pod } from '../api/pod.ts'

export interface Ended {
  readonly exitCode: number
  readonly signal: number | undefined
  readonly reason: string
  readonly message: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly containerID: string
}

export type ContainerPhase =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running'; readonly startedAt: string; readonly containerID: string }
  | { readonly kind: 'terminated'; readonly ended: Ended }

export interface ContainerView {
  readonly name: string
  readonly image: string
  readonly role: 'init' | 'sidecar' | 'main'
  readonly phase: ContainerPhase
  readonly last: Ended | undefined
  readonly restartCount: number
  readonly started: boolean
  readonly ready: boolean
}

export interface PodView {
  readonly pod: Pod
  readonly containers: readonly ContainerView[]
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
  readonly startTime: string
  /** RFC 3339, seconds. */
  readonly now: string
  /** As last sent, for transition times. */
  readonly before: readonly Condition[]
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export function podStatus(
  view: PodView,
): Record<string, unknown> & { readonly phase: PodPhase; readonly conditions: readonly Condition[] } {
  const inits = view.containers.filter((c) => c.role !== 'main')
  const mains = view.containers.filter((c) => c.role === 'main')
  return {
    phase: podPhase(view),
    conditions: conditions(view),
    startTime: view.startTime,
    hostIP: view.hostIPs[0],
    hostIPs: view.hostIPs.map((ip) => ({ ip })),
    ...(view.podIPs.length === 0 ? {} : { podIP: view.podIPs[0], podIPs: view.podIPs.map((ip) => ({ ip })) }),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map(containerStatus) }),
    containerStatuses: mains.map(containerStatus),
  }
}

/** While the node was out of reach the control plane wrote that the pod is not ready, and would leave it at that. */
export function isOverruled(pod: Pod, sent: readonly Condition[]): boolean {
  return (
    isTrue(sent, 'Ready') &&
    pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'False') === true
  )
}

export function podPhase({ pod, containers }: PodView): PodPhase {
  const policy = pod.spec.restartPolicy ?? 'Always'
  const inits = containers.filter((c) => c.role === 'init')
  const initFailed = inits.some((c) => c.phase.kind === 'terminated' && c.phase.ended.exitCode !== 0)
  const mains = containers.filter((c) => c.role === 'main')
  const begun = mains.some((c) => c.phase.kind !== 'waiting' || c.last !== undefined)
  if (!begun && initFailed && policy === 'Never') return 'Failed'
  if (mains.some((c) => c.phase.kind === 'waiting' && c.last === undefined)) return 'Pending'
  const ends = mains.map((c) => (c.phase.kind === 'terminated' ? c.phase.ended : undefined))
  if (policy === 'Always' || ends.includes(undefined)) return 'Running'
  if (ends.every((end) => end?.exitCode === 0)) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

/** Every container has done its work and none will run again. */
function isOver(phase: PodPhase): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

function conditions(view: PodView): readonly Condition[] {
  const { pod, containers } = view
  const phase = podPhase(view)
  const done = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined
  const mains = containers.filter((c) => c.role === 'main')
  const uninitialized = containers.filter((c) => c.role !== 'main' && !isInitialized(c)).map((c) => c.name)
  const unready = containers.filter((c) => c.role !== 'init' && !c.ready).map((c) => c.name)
  const initialized = uninitialized.length === 0 || mains.some((c) => c.phase.kind !== 'waiting')
  const ready = unready.length === 0 && !isOver(phase)
  const gates = pod.spec.readinessGates ?? []
  const closed = gates
    .filter((g) => !isTrue(pod.status?.conditions, g.conditionType))
    .map((g) => g.conditionType)
  const named = (text: string, names: readonly string[]) => `${text}: [${names.join(' ')}]`
  const own = [
    { type: 'PodReadyToStartContainers', ok: view.podIPs.length > 0 && !isOver(phase) },
    {
      type: 'Initialized',
      ok: initialized,
      reason: initialized ? done : 'ContainersNotInitialized',
      message: initialized ? '' : named('containers with incomplete status', uninitialized),
    },
    {
      type: 'ContainersReady',
      ok: ready,
      reason: ready ? undefined : (done ?? 'ContainersNotReady'),
      message: ready || done !== undefined ? '' : named('containers with unready status', unready),
    },
    {
      type: 'Ready',
      ok: ready && closed.length === 0,
      reason: ready
        ? closed.length === 0
          ? undefined
          : 'ReadinessGatesNotReady'
        : (done ?? 'ContainersNotReady'),
      message: ready || done !== undefined ? '' : named('containers with unready status', unready),
    },
  ]
  const types = new Set(own.map((c) => c.type))
  const foreign = (pod.status?.conditions ?? []).filter((c) => !types.has(c.type))
  const scheduled = foreign.some((c) => c.type === 'PodScheduled') ? [] : [{ type: 'PodScheduled', ok: true }]
  return [...foreign, ...[...scheduled, ...own].map((c) => condition(c, view))]
}

function condition(
  wanted: {
    readonly type: string
    readonly ok: boolean
    readonly reason?: string | undefined
    readonly message?: string
  },
  view: PodView,
): Condition {
  const status = wanted.ok ? 'True' : 'False'
  const before = view.before.find((c) => c.type === wanted.type)
  const since = before?.status === status ? before.lastTransitionTime : undefined
  return {
    type: wanted.type,
    status,
    ...(wanted.reason === undefined ? {} : { reason: wanted.reason }),
    ...(wanted.message === undefined || wanted.message === '' ? {} : { message: wanted.message }),
    lastTransitionTime: since ?? view.now,
  }
}

function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((c) => c.type === type && c.status === 'True') === true
}

function isInitialized(view: ContainerView): boolean {
  if (view.role === 'sidecar') return view.started
  return view.phase.kind === 'terminated' && view.phase.ended.exitCode === 0
}

function containerStatus(view: ContainerView): Record<string, unknown> {
  const id = view.phase.kind === 'running' ? view.phase.containerID : undefined
  const ended = view.phase.kind === 'terminated' ? view.phase.ended : view.last
  const containerID = id ?? ended?.containerID
  return {
    name: view.name,
    image: view.image,
    imageID: '',
    ...(containerID === undefined ? {} : { containerID }),
    ready: view.role === 'init' ? isInitialized(view) : view.ready,
    started: view.started,
    restartCount: view.restartCount,
    state: stateOf(view.phase),
    lastState:
      view.last === undefined || view.phase.kind === 'terminated'
        ? {}
        : { terminated: terminated(view.last) },
  }
}

function stateOf(phase: ContainerPhase): Record<string, unknown> {
  if (phase.kind === 'running') return { running: { startedAt: phase.startedAt } }
  if (phase.kind === 'terminated') return { terminated: terminated(phase.ended) }
  return { waiting: { reason: phase.reason, ...(phase.message === '' ? {} : { message: phase.message }) } }
}

function terminated(ended: Ended): Record<string, unknown> {
  return {
    exitCode: ended.exitCode,
    ...(ended.signal === undefined ? {} : { signal: ended.signal }),
    reason: ended.reason,
    ...(ended.message === '' ? {} : { message: ended.message }),
    startedAt: ended.startedAt,
    finishedAt: ended.finishedAt,
    containerID: ended.containerID,
  }
}
