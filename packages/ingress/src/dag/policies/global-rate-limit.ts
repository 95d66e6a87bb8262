/** `rateLimitPolicy.global` of a host or of a route: what a rate limit service counts requests by. */
import type { RateLimitPolicy } from '@landfall/api'
import { checkHeaders, headerMatch } from '../conditions.ts'
import type { Descriptor, DescriptorEntry, RouteDescriptors } from '../filters.ts'
import type { RateLimitService } from '../options.ts'
import { type Checked, error, ok, type Problem, refused, warning } from '../problem.ts'
import { hasControl } from './control-characters.ts'

type Global = NonNullable<RateLimitPolicy['global']>
type Entry = NonNullable<NonNullable<Global['descriptors']>[number]['entries']>[number]
type Owner = 'VirtualHostError' | 'RouteError'

export function readHostDescriptors(
  field: string,
  policy: RateLimitPolicy | undefined,
  service: RateLimitService | undefined,
): Checked<readonly Descriptor[]> {
  const own = policy?.global
  const checked = readDescriptors(`${field}.rateLimitPolicy.global`, 'VirtualHostError', own)
  if (!checked.ok || service === undefined || own !== undefined) return checked
  const field_ = 'defaultGlobalRateLimitPolicy'
  return readDescriptors(field_, 'VirtualHostError', service.defaultGlobalRateLimitPolicy)
}

export function readRouteDescriptors(
  field: string,
  policy: RateLimitPolicy | undefined,
): Checked<RouteDescriptors | undefined> {
  const own = policy?.global
  if (own === undefined) return ok(undefined)
  const checked = readDescriptors(`${field}.rateLimitPolicy.global`, 'RouteError', own)
  return checked.ok ? ok({ withHost: own.disabled !== true, descriptors: checked.value }) : checked
}

/** Which descriptors count for all routes of a host that do not say otherwise; undefined: there are none. */
export function limitOfHost(
  policy: RateLimitPolicy | undefined,
  service: RateLimitService | undefined,
): string | undefined {
  const counts = (global: RateLimitPolicy['global']) =>
    global?.disabled !== true && (global?.descriptors ?? []).length > 0
  if (policy?.global !== undefined)
    return counts(policy.global) ? 'spec.virtualhost.rateLimitPolicy.global' : undefined
  return counts(service?.defaultGlobalRateLimitPolicy) ? 'defaultGlobalRateLimitPolicy' : undefined
}

/** Envoy asks a service only for requests that go to a cluster: what says nothing of a route without one. */
export function uncounted(
  field: string,
  policy: RateLimitPolicy | undefined,
  service: RateLimitService | undefined,
  limitedBy: string | undefined,
): readonly Problem[] {
  if (service === undefined || policy?.global?.disabled === true) return []
  const why = 'as Envoy asks a rate limit service only for requests that it forwards; limit with local'
  const isOwn = (policy?.global?.descriptors ?? []).length > 0
  const messages = [
    ...(isOwn ? [`${field}.rateLimitPolicy.global: ignored, ${why}`] : []),
    ...(limitedBy === undefined
      ? []
      : [`${field}: ${limitedBy} does not count here, ${why}, or say global: {disabled: true} to agree`]),
  ]
  return messages.map((message) => warning('SpecError', 'IgnoredField', message))
}

/** What says nothing without a service is pointed out. */
export function unlimited(
  field: string,
  policy: RateLimitPolicy | undefined,
  service: RateLimitService | undefined,
): readonly Problem[] {
  if (service !== undefined || (policy?.global?.descriptors ?? []).length === 0) return []
  const message = `${field}.rateLimitPolicy.global: ignored, as no rate limit service is configured`
  return [warning('SpecError', 'IgnoredField', message)]
}

function readDescriptors(
  at: string,
  owner: Owner,
  global: RateLimitPolicy['global'],
): Checked<readonly Descriptor[]> {
  if (global === undefined || global.disabled === true) return ok([])
  const problems: Problem[] = []
  const descriptors = (global.descriptors ?? []).map(({ entries = [] }, index) => {
    const where = `${at}.descriptors[${index}]`
    const refuse = (why: string): void => {
      problems.push(error(owner, 'RateLimitPolicyNotValid', `${where}${why}`))
    }
    if (entries.length === 0) refuse('.entries: at least one is needed')
    return entries.flatMap((entry, number) => readEntry(entry, (why) => refuse(`.entries[${number}]${why}`)))
  })
  return problems.length > 0 ? refused(...problems) : ok(descriptors)
}

function readEntry(entry: Entry, refuse: (why: string) => void): readonly DescriptorEntry[] {
  const { genericKey, requestHeader, requestHeaderValueMatch: match, remoteAddress } = entry
  const found: DescriptorEntry[] = []
  if (genericKey !== undefined) {
    if (genericKey.value === '') refuse('.genericKey.value: is empty')
    found.push({ kind: 'generic', key: genericKey.key || 'generic_key', value: genericKey.value })
  }
  if (requestHeader !== undefined) {
    const { headerName: header, descriptorKey: key } = requestHeader
    if (header === '' || hasControl(header))
      refuse(`.requestHeader.headerName: "${header}" is no header name`)
    if (key === '') refuse('.requestHeader.descriptorKey: is empty')
    found.push({ kind: 'header', header, key })
  }
  if (match !== undefined) {
    for (const why of checkHeaders(match.headers)) refuse(`.requestHeaderValueMatch.${why}`)
    if (match.headers.length === 0) refuse('.requestHeaderValueMatch.headers: at least one is needed')
    if (match.value === '') refuse('.requestHeaderValueMatch.value: is empty')
    const headers = match.headers.flatMap(headerMatch)
    found.push({ kind: 'match', headers, expect: match.expectMatch !== false, value: match.value })
  }
  if (remoteAddress !== undefined) found.push({ kind: 'address' })
  if (found.length === 1) return found
  refuse(': exactly one of genericKey, requestHeader, requestHeaderValueMatch and remoteAddress is needed')
  return []
}
