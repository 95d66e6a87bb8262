/** `corsPolicy` of a host. */
import { type CORSPolicy, parseGoDuration } from '@landfall/api'
import type { Cors, Origin } from '../filters.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'
import { isRegex } from '../regex.ts'
import { hasControl } from './control-characters.ts'

const field = 'spec.virtualhost.corsPolicy'

export function readCors(policy: CORSPolicy | undefined): Checked<Cors | undefined> {
  if (policy === undefined) return ok(undefined)
  const problems: Problem[] = []
  const refuse = (at: string, why: string): void => {
    problems.push(error('CORSError', 'PolicyDidNotParse', `${field}.${at}: ${why}`))
  }
  const { allowOrigin, allowMethods, allowHeaders = [], exposeHeaders = [], maxAge = '' } = policy
  const origins = allowOrigin.flatMap((text, index) => {
    const origin = originOf(text)
    if (origin === undefined) refuse(`allowOrigin[${index}]`, `"${text}" is neither an origin nor a regex`)
    return origin ?? []
  })
  if (allowOrigin.length === 0) refuse('allowOrigin', 'at least one is needed')
  if (allowMethods.length === 0) refuse('allowMethods', 'at least one is needed')
  for (const [at, list] of Object.entries({ allowMethods, allowHeaders, exposeHeaders }))
    if (list.some(hasControl)) refuse(at, 'control characters are no name')
  const seconds = maxAge === '' ? undefined : maxAge === '0' ? 0 : parseGoDuration(maxAge)
  if (maxAge !== '' && (seconds === undefined || seconds < 0))
    refuse('maxAge', `"${maxAge}" is no duration such as 10m, nor 0`)
  if (problems.length > 0) return refused(...problems)
  return ok({
    origins,
    methods: allowMethods,
    allowHeaders,
    exposeHeaders,
    credentials: policy.allowCredentials === true,
    privateNetwork: policy.allowPrivateNetwork === true,
    maxAgeSeconds: seconds === undefined ? undefined : Math.round(seconds),
  })
}

const origin = /^[a-z][a-z0-9+.-]*:\/\/(\[[0-9a-f:.]+\]|[-a-z0-9._~!$&'()*+,;=%]+)(:[0-9]*)?$/i

function originOf(text: string): Origin | undefined {
  if (text === '*' || origin.test(text)) return { kind: 'exact', value: text }
  return text !== '' && isRegex(text) ? { kind: 'regex', value: text } : undefined
}
