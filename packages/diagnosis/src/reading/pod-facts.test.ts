import { describe, expect, it } from 'vitest'
import { podFacts } from './pod-facts.ts'

const crash = {
  exitCode: 1,
  reason: 'Error',
  message: 'no such flag\n',
  startedAt: '2026-11-21T10:00:00Z',
  finishedAt: '2026-11-21T10:00:01Z',
}
const running = { running: { startedAt: '2026-11-21T10:00:10Z' } }

/** What is the matter with a pod of one container that is not ready, `since` then. */
function troubleOf(state: object, terminated: object, since = '2026-11-21T10:00:00Z'): string {
  const raw = {
    metadata: { name: 'envoy-1', namespace: 'projectcontour' },
    spec: { containers: [{ name: 'envoy', readinessProbe: { httpGet: { path: '/ready', port: 8002 } } }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: since }],
      containerStatuses: [{ name: 'envoy', ready: false, state, lastState: { terminated } }],
    },
  }
  return podFacts(raw, '404').trouble
}

describe('podFacts', () => {
  it.each([
    ['waiting', { waiting: { reason: 'CrashLoopBackOff' } }, 'CrashLoopBackOff'],
    ['ended', { terminated: crash }, 'Error'],
    ['running for a moment', running, 'was started again at 2026-11-21T10:00:10Z'],
  ])('says of a container that crashes how it ended, %s', (_, state, how) => {
    expect(troubleOf(state, crash)).toBe(`container envoy: ${how}: it ended with exit code 1: no such flag`)
  })

  it.each([
    ['that was ready since', crash, '2026-11-21T11:00:00Z'],
    ['whose run before was long', { ...crash, startedAt: '2026-11-01T10:00:00Z' }, undefined],
    ['that ended by itself', { ...crash, exitCode: 0 }, undefined],
    ['of whose end no time is known', { exitCode: 255 }, undefined],
  ])('asks after the probe of a container %s', (_, terminated, since) => {
    expect(troubleOf(running, terminated, since)).toBe(
      'container envoy: runs, and does not pass its readiness probe (GET /ready on port 8002): 404',
    )
  })
})
