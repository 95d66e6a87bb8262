/** What is said when the request was answered though a step is broken. */
import { expect, test } from 'vitest'
import { broken, fine } from '../trace/step.ts'
import { concluded } from '../trace/trace.ts'
import { plain } from './paint.ts'
import { traceText } from './trace-text.ts'

test.each([
  ['address', 'addressTwice', 'it may lead to the other Service.'],
  ['virtual host', 'EnvoyRefused', 'which Envoys keep until they start anew.'],
  ['announcement', 'noSessionUp', 'or by another way.'],
] as const)('%s: %s', (step, reason, how) => {
  const text = (answered: boolean) => {
    const steps = [broken(step, reason, ''), ...(answered ? [fine('request', 'answers 200')] : [])]
    return traceText(concluded('http://shop/', steps), plain).trimEnd().split('\n').at(-1)
  }
  expect(text(true)).toMatch(/^The request was answered all the same: /)
  expect(text(true)).toContain(how)
  const details = ['this machine goes to MAC 52:54:00:00:00:11']
  const steps = [broken(step, reason, ''), fine('request', 'answers 200', details)]
  expect(concluded('http://shop/', steps).steps.at(-1)).toMatchObject({
    state: 'warning',
    message: `answers 200, though ${step} is broken`,
    details,
  })
  expect(text(false)).not.toContain('all the same')
})
