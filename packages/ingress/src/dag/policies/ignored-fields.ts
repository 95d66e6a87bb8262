/** Fields of a route that say nothing where they stand, as Contour does: each is pointed out. */
import type { HTTPProxyRoute, HTTPProxyService } from '@landfall/api'
import type { PathMatch } from '../match.ts'
import { type Problem, warning } from '../problem.ts'
import { readLimit } from './durations.ts'

type Retry = NonNullable<HTTPProxyRoute['retryPolicy']>

/**
 * @param field of the route, which goes to Services
 * @param path with that of the includes above
 */
export function ignoredFields(field: string, route: HTTPProxyRoute, path: PathMatch): readonly Problem[] {
  const { retryPolicy, loadBalancerPolicy, services = [], healthCheckPolicy } = route
  const strategy = loadBalancerPolicy?.strategy ?? ''
  const hashes = loadBalancerPolicy?.requestHashPolicies ?? []
  return [
    ...(retryPolicy === undefined ? [] : ofRetries(retryPolicy, route)),
    ...(hashes.length > 0 && strategy !== 'RequestHash'
      ? ['loadBalancerPolicy.requestHashPolicies: ignored, as strategy is not RequestHash']
      : []),
    ...(services.every(({ mirror }) => mirror === true)
      ? ['services: all of them are mirrors, whose answers are ignored: every request is answered with 503']
      : []),
    ...ofRewrite(route.pathRewritePolicy, path),
    ...services.flatMap((service, index) =>
      ofService(service, healthCheckPolicy !== undefined).map((text) => `services[${index}].${text}`),
    ),
  ].map((text) => ignored(`${field}.${text}`))
}

export function ignored(message: string): Problem {
  return warning('SpecError', 'IgnoredField', message)
}

function ofRewrite(policy: HTTPProxyRoute['pathRewritePolicy'], path: PathMatch): readonly string[] {
  const list = policy?.replacePrefix ?? []
  const at = 'pathRewritePolicy.replacePrefix'
  const fits = list.some(({ prefix = '' }) => prefix === '' || prefix === path.value)
  return [
    ...(list.length === 0 || fits
      ? []
      : [`${at}: nothing is rewritten, as no entry has the prefix "${path.value}" that the route has`]),
    ...list.flatMap(({ replacement }, index) =>
      replacement.startsWith('/')
        ? []
        : [`${at}[${index}].replacement: "${replacement}" does not start with /, nor will the paths`],
    ),
  ]
}

function ofRetries(policy: Retry, route: HTTPProxyRoute): readonly string[] {
  const { count, perTryTimeout = '', retryOn = [], retriableStatusCodes: codes = [] } = policy
  const asked = (['perTryTimeout', 'retryOn', 'retriableStatusCodes'] as const).filter(
    (name) => (policy[name] ?? '').length > 0,
  )
  if (count === -1)
    return asked.map((name) => `retryPolicy.${name}: ignored, as a count of -1 means no retries`)
  const negative = codes.filter((code) => code < 0)
  const unused = codes.length > 0 && !retryOn.includes('retriable-status-codes')
  const why = perTryProblem(perTryTimeout, route)
  return [
    ...(why === undefined ? [] : [`retryPolicy.perTryTimeout: "${perTryTimeout}" ${why}`]),
    ...negative.map((code) => `retryPolicy.retriableStatusCodes: ${code} is no status, ignored`),
    ...(unused
      ? ['retryPolicy.retriableStatusCodes: ignored, as retryOn does not have retriable-status-codes']
      : []),
  ]
}

/** Envoy's own, where a route says nothing. */
const responseMs = 15_000

function perTryProblem(text: string, { timeoutPolicy }: HTTPProxyRoute): string | undefined {
  const each = readLimit(text)
  if (each === 'invalid') return 'is no duration such as 5s, ignored'
  const all = readLimit(timeoutPolicy?.response) ?? responseMs
  if (typeof each !== 'number' || typeof all !== 'number' || each < all) return undefined
  return `is ignored, as the answer as a whole may take no longer than ${all / 1000} s`
}

const ofAnswers = ['requestHeadersPolicy', 'responseHeadersPolicy', 'cookieRewritePolicies'] as const

function ofService(service: HTTPProxyService, isChecked: boolean): readonly string[] {
  const asked = service.mirror === true ? ofAnswers.filter((name) => service[name] !== undefined) : []
  return [
    ...asked.map(
      (name) => `${name}: ignored, as a mirror gets what the route sends and its answers go nowhere`,
    ),
    ...(service.healthPort !== undefined && !isChecked
      ? ['healthPort: ignored, as the route has no healthCheckPolicy']
      : []),
  ]
}
