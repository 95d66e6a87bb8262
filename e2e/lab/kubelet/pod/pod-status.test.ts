import { expect, test } from 'vitest'
import type { Pod, PodSpec } from '../api/pod.ts'
import {
  type ContainerPhase,
  type ContainerView,
  type Ended,
  isOverruled,
  podPhase,
  podStatus,
} from './pod-status.ts'

const ended = (exitCode: number): Ended => ({
  exitCode,
  signal: undefined,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  message: '',
  startedAt: 't1',
  finishedAt: 't2',
  containerID: 'lab://1',
})
const waiting: ContainerPhase = { kind: 'waiting', reason: 'ContainerCreating', message: '' }
const running: ContainerPhase = { kind: 'running', startedAt: 't1', containerID: 'lab://1' }
const over = (code: number): ContainerPhase => ({ kind: 'terminated', ended: ended(code) })

function container(phase: ContainerPhase, more: Partial<ContainerView> = {}): ContainerView {
  const ready = phase.kind === 'running'
  return {
    name: 'c',
    image: 'i',
    role: 'main',
    phase,
    last: undefined,
    restartCount: 0,
    started: ready,
    ready,
    ...more,
  }
}

function view(
  restartPolicy: 'Always' | 'OnFailure' | 'Never',
  containers: readonly ContainerView[],
  spec: Partial<PodSpec> = {},
) {
  return {
    pod: {
      metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1' },
      spec: { restartPolicy, containers: [], ...spec },
    },
    containers,
    podIPs: ['10.244.1.2', 'fd00::2'],
    hostIPs: ['10.0.0.1', 'fd99::1'],
    startTime: 't0',
    now: 'now',
    before: [],
  }
}

const init = (phase: ContainerPhase) => container(phase, { name: 'init', role: 'init' })

test.each([
  ['Always', [container(waiting)], 'Pending'],
  ['Always', [container(running)], 'Running'],
  ['Always', [container(running), container(waiting)], 'Pending'],
  ['Always', [container(over(0))], 'Running'],
  ['Always', [container(waiting, { last: ended(1) })], 'Running'],
  ['OnFailure', [container(over(0))], 'Succeeded'],
  ['OnFailure', [container(over(1))], 'Running'],
  ['Never', [container(over(0)), container(over(0))], 'Succeeded'],
  ['Never', [container(over(0)), container(over(3))], 'Failed'],
  ['Never', [container(over(0)), container(running)], 'Running'],
  ['Never', [init(over(1)), container(waiting)], 'Failed'],
  ['Always', [init(over(1)), container(waiting)], 'Pending'],
] as const)('restart %s: %#', (policy, containers, phase) => {
  expect(podPhase(view(policy, containers))).toBe(phase)
})

const conditionsOf = (v: ReturnType<typeof view>) =>
  Object.fromEntries(podStatus(v).conditions.map((c) => [c.type, `${c.status} ${c.reason ?? ''}`.trim()]))

test('conditions of a pod that starts, runs, and is over', () => {
  expect(conditionsOf(view('Always', [init(running), container(waiting)]))).toMatchObject({
    PodScheduled: 'True',
    Initialized: 'False ContainersNotInitialized',
    Ready: 'False ContainersNotReady',
  })
  expect(conditionsOf(view('Always', [init(over(0)), container(running)]))).toMatchObject({
    Initialized: 'True',
    ContainersReady: 'True',
    Ready: 'True',
  })
  expect(conditionsOf(view('Never', [container(over(0))]))).toMatchObject({
    Initialized: 'True PodCompleted',
    Ready: 'False PodCompleted',
  })
})

test('a readiness gate holds Ready back and not ContainersReady', () => {
  const gated = view('Always', [container(running)], { readinessGates: [{ conditionType: 'x/y' }] })
  expect(conditionsOf(gated)).toMatchObject({
    ContainersReady: 'True',
    Ready: 'False ReadinessGatesNotReady',
  })
})

test('conditions of others stay, and times move only with the status', () => {
  const base = view('Always', [container(running)])
  const foreign = { type: 'x/y', status: 'True', lastTransitionTime: 'old' } as const
  const before = [
    { type: 'Ready', status: 'True', lastTransitionTime: 'then' },
    { type: 'ContainersReady', status: 'False', lastTransitionTime: 'then' },
  ] as const
  const { conditions } = podStatus({
    ...base,
    pod: { ...base.pod, status: { conditions: [foreign] } },
    before,
  })
  expect(conditions).toContainEqual(foreign)
  expect(conditions.find((c) => c.type === 'Ready')?.lastTransitionTime).toBe('then')
  expect(conditions.find((c) => c.type === 'ContainersReady')?.lastTransitionTime).toBe('now')
})

test('addresses in both families, and never a class of service', () => {
  const status = podStatus(view('Always', [container(running)]))
  expect(status).toMatchObject({ podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }, { ip: 'fd00::2' }] })
  expect(status).not.toHaveProperty('qosClass')
})

test('what the control plane wrote of a node that was out of reach is noticed, and nothing else', () => {
  const { pod } = view('Always', [container(running)])
  const ready = (status: 'True' | 'False') => [{ type: 'Ready', status, lastTransitionTime: 'then' }]
  const told = (status: 'True' | 'False'): Pod => ({ ...pod, status: { conditions: ready(status) } })
  expect(isOverruled(told('False'), ready('True'))).toBe(true)
  expect(isOverruled(told('True'), ready('True'))).toBe(false)
  expect(isOverruled(told('False'), ready('False'))).toBe(false)
  expect(isOverruled(pod, ready('True'))).toBe(false)
})
