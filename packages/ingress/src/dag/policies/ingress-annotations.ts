/**
 * What annotations of an Ingress say about timeouts and retries. What cannot be read counts as not said, as with
 * Contour: an Ingress has no condition to say more.
 */
import { retryConditions } from '@landfall/api'
import type { Problem } from '../problem.ts'
import type { Forward } from '../virtual-host.ts'
import { readLimit } from './durations.ts'
import { foreignAnnotations } from './foreign-annotations.ts'
import { ignored } from './ignored-fields.ts'

type Annotations = Readonly<Record<string, string>>

const prefix = 'projectcontour.io/'

const known = new Set(
  [
    'ingress.class',
    'num-retries',
    'per-try-timeout',
    'request-timeout',
    'response-timeout',
    'retry-on',
    'tls-cert-namespace',
    'tls-maximum-protocol-version',
    'tls-minimum-protocol-version',
    'websocket-routes',
  ].map((name) => `${prefix}${name}`),
)
  .add('ingress.kubernetes.io/force-ssl-redirect')
  .add('kubernetes.io/ingress.allow-http')
  .add('kubernetes.io/ingress.class')

/** Of Contour's annotations, those that say nothing: on an Ingress, by what they say, or for want of another. */
export function annotationWarnings(annotations: Annotations): readonly Problem[] {
  const said = [...unreadable(annotations), ...withoutRetries(annotations)]
  return [
    ...foreignAnnotations(annotations, 'Ingress', known),
    ...said.map(([name, why]) => ignored(`metadata.annotations["${name}"]: ${why}`)),
  ]
}

const conditions: ReadonlySet<string> = new Set(retryConditions)

type Ignored = readonly (readonly [name: string, why: string])[]

const timeouts = ['response-timeout', 'request-timeout', 'per-try-timeout'].map((name) => `${prefix}${name}`)
const count = `${prefix}num-retries`

function unreadable(annotations: Annotations): Ignored {
  const wrong = timeouts.filter((name) => readLimit(annotations[name]) === 'invalid')
  const number = annotations[count]
  const switches = ['ingress.kubernetes.io/force-ssl-redirect', 'kubernetes.io/ingress.allow-http'].filter(
    (name) => !['true', 'false', ''].includes(annotations[name] ?? ''),
  )
  const unknown = retriedOf(annotations).filter((one) => !conditions.has(one))
  return [
    ...switches.map(
      (name) =>
        [name, `"${annotations[name]}" is neither true nor false, ignored: plain HTTP stays open`] as const,
    ),
    ...unknown.map(
      (one) => [`${prefix}retry-on`, `"${one}" is no condition that Envoy knows, ignored`] as const,
    ),
    ...wrong.map((name) => [name, `"${annotations[name]}" is no duration such as 30s, ignored`] as const),
    ...(number === undefined || Number.isInteger(countOf(number))
      ? []
      : [[count, `"${number}" is no whole number, 1 is used`] as const]),
  ]
}

function withoutRetries(annotations: Annotations): Ignored {
  if (retriedOf(annotations).length > 0) return []
  const asked = [count, `${prefix}per-try-timeout`].filter((name) => annotations[name] !== undefined)
  return asked.map((name) => [name, `ignored without ${prefix}retry-on`] as const)
}

function countOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

function retriedOf(annotations: Annotations): readonly string[] {
  const listed = (annotations[`${prefix}retry-on`] ?? '').split(',')
  return listed.map((one) => one.trim()).filter((one) => one !== '')
}

export function readIngressPolicies(annotations: Annotations): Pick<Forward, 'response' | 'retry'> {
  const response = readLimit(
    annotations[`${prefix}response-timeout`] || annotations[`${prefix}request-timeout`],
  )
  return { response: response === 'invalid' ? undefined : response, retry: readRetry(annotations) }
}

function readRetry(annotations: Annotations): Forward['retry'] {
  const on = retriedOf(annotations)
  const most = countOf(annotations[count] ?? '1')
  if (on.length === 0 || most <= 0) return undefined
  const perTry = readLimit(annotations[`${prefix}per-try-timeout`])
  return {
    on,
    count: Number.isInteger(most) && most <= 0xffffffff ? most : 1,
    statusCodes: [],
    perTry: perTry === 'invalid' ? undefined : perTry,
  }
}
