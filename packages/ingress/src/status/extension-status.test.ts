import { expect, test } from 'vitest'
import { error, warning } from '../dag/problem.ts'
import { extensionStatus } from './extension-status.ts'

const now = '2026-01-02T03:04:05Z'
const later = '2026-01-02T03:04:06Z'
const foreign = {
  type: 'Other',
  status: 'True',
  reason: 'Because',
  message: '',
  lastTransitionTime: now,
} as const

test('says every error and warning, and keeps the conditions of others', () => {
  const problems = [
    error('SpecError', 'InconsistentProtocol', 'no TLS'),
    warning('SpecError', 'IgnoredField', 'idle'),
  ]
  const status = extensionStatus({ conditions: [foreign] }, { reached: true, problems }, 3, now)
  expect(status.conditions).toMatchObject([
    {
      type: 'Valid',
      status: 'False',
      reason: 'ErrorPresent',
      observedGeneration: 3,
      errors: [{ type: 'SpecError', status: 'True', reason: 'InconsistentProtocol', message: 'no TLS' }],
      warnings: [{ reason: 'IgnoredField' }],
    },
    foreign,
  ])
})

test('a warning leaves it valid, and the time of the transition stays', () => {
  const first = extensionStatus(undefined, { reached: true, problems: [] }, 1, now)
  const problems = [warning('SpecError', 'IgnoredField', 'idle')]
  const second = extensionStatus(first, { reached: true, problems }, 2, later)
  expect(second.conditions).toMatchObject([
    { status: 'True', reason: 'Valid', lastTransitionTime: now, observedGeneration: 2 },
  ])
})
