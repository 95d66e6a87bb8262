/**
 * What annotations of an Ingress say about timeouts and retries. What cannot be read counts as not said, as with
 * Contour: an Ingress has no condition to say more.
 */
import type { Forward } from '../virtual-host.ts'
import { readLimit } from './durations.ts'

type Annotations = Readonly<Record<string, string>>

const prefix = 'projectcontour.io/'

export function readIngressPolicies(annotations: Annotations): Pick<Forward, 'response' | 'retry'> {
  const response = readLimit(
    annotations[`${prefix}response-timeout`] ?? annotations[`${prefix}request-timeout`],
  )
  return { response: response === 'invalid' ? undefined : response, retry: readRetry(annotations) }
}

function readRetry(annotations: Annotations): Forward['retry'] {
  const on = (annotations[`${prefix}retry-on`] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const count = Number(annotations[`${prefix}num-retries`] ?? '0')
  if (on.length === 0 || count < 0) return undefined
  const perTry = readLimit(annotations[`${prefix}per-try-timeout`])
  return {
    on,
    count: Number.isInteger(count) && count > 0 && count <= 0xffffffff ? count : 1,
    statusCodes: [],
    perTry: perTry === 'invalid' ? undefined : perTry,
  }
}
