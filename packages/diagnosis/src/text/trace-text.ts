/** A trace for a person: a line a step, what is known of it below, and the first broken step at the end. */
import { type Step, stepNames } from '../trace/step.ts'
import type { Trace } from '../trace/trace.ts'
import type { Colour, Paint } from './paint.ts'

const marks: Readonly<Record<Step['state'], readonly [mark: string, colour: Colour]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  broken: ['✗', 'red'],
  unknown: ['?', 'yellow'],
  skipped: ['-', 'dim'],
}

const width = Math.max(...stepNames.map((name) => name.length))

export function traceText({ url, steps, broken }: Trace, paint: Paint): string {
  const lines = steps.flatMap((step) => stepLines(step, isSaid(step, broken), paint))
  return [paint(url, 'bold'), '', ...lines, '', ...conclusion(steps, broken, paint), ''].join('\n')
}

/** What to do stands at the end for the first broken step; that the try fails too is then no news. */
function isSaid(step: Step, broken: Step | undefined): boolean {
  return step === broken || (broken !== undefined && step.name === 'request')
}

function stepLines(
  { name, state, message, details, reason, next }: Step,
  hintless: boolean,
  paint: Paint,
): string[] {
  const [mark, colour] = marks[state]
  const code = reason === '' || state === 'skipped' ? '' : `${paint(reason, colour)}: `
  const indent = ' '.repeat(width + 4)
  return [
    `${paint(mark, colour)} ${name.padEnd(width)}  ${code}${message}`,
    ...details.map((line) => `${indent}${line}`),
    ...(next === '' || hintless ? [] : [paint(`${indent}→ ${next}`, 'dim')]),
  ]
}

const stillAnswered = 'The request was answered all the same:'

/** What answers while the step is broken. */
function answererOf({ name, reason }: Step): string {
  if (reason === 'EnvoyRefused')
    return 'by the configuration from before, which Envoys keep until they start anew.'
  if (reason === 'addressTwice')
    return 'from here the address leads to Envoy now; from elsewhere, or later, it may lead to the other Service.'
  return name === 'announcement'
    ? 'by what this machine and routers remember of the way for a while, or by another way.'
    : 'by another way than the one that is broken.'
}

function conclusion(steps: readonly Step[], broken: Step | undefined, paint: Paint): readonly string[] {
  if (broken !== undefined) {
    const { name, reason, message, next } = broken
    const answered = steps.some((step) => step.reason === 'answeredAllTheSame')
    const answerer = answererOf(broken)
    return [
      paint(`Broken at ${name}: ${reason}: ${message}`, 'red'),
      ...(next === '' ? [] : [`→ ${next}`]),
      ...(answered ? [`${stillAnswered} ${answerer}`] : []),
    ]
  }
  const unsure = steps.filter(({ state }) => state === 'unknown').map(({ name }) => name)
  if (unsure.length > 0)
    return [paint(`Nothing broken was found; not known: ${unsure.join(', ')}.`, 'yellow')]
  if (steps.some(({ state }) => state === 'warning'))
    return [paint('Nothing is broken; look at what is marked !.', 'yellow')]
  const tried = steps.some(({ name, state }) => name === 'request' && state === 'ok')
  return [paint(tried ? 'It works.' : 'Nothing is broken.', 'green')]
}
