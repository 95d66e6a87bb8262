/** `ipAllowPolicy` and `ipDenyPolicy` of a host or of a route. One bad entry refuses the whole list. */
import type { IPFilter as IPFilterEntry } from '@landfall/api'
import { bitsOf, formatIP, type Prefix, parseIP, parsePrefix, prefixOf, unmapIP } from '@landfall/netip'
import type { IPFilter, IPRule } from '../filters.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'

interface Policies {
  readonly ipAllowPolicy?: readonly IPFilterEntry[]
  readonly ipDenyPolicy?: readonly IPFilterEntry[]
}

export function readIPFilter(
  field: string,
  { ipAllowPolicy: allow = [], ipDenyPolicy: deny = [] }: Policies,
): Checked<IPFilter | undefined> {
  const problems: Problem[] = []
  if (allow.length > 0 && deny.length > 0) {
    const message = `${field}: at most one of ipAllowPolicy and ipDenyPolicy`
    problems.push(error('IPFilterError', 'IncompatibleIPAddressFilters', message))
  }
  const allowed = rulesOf(`${field}.ipAllowPolicy`, allow, problems)
  const denied = rulesOf(`${field}.ipDenyPolicy`, deny, problems)
  if (problems.length > 0) {
    const message = `${field}: the address filter is not valid`
    return refused(...problems, error('IPFilterError', 'IPFilterPolicyNotValid', message))
  }
  if (allowed.length > 0) return ok({ kind: 'allow', rules: allowed })
  return ok(denied.length > 0 ? { kind: 'deny', rules: denied } : undefined)
}

function rulesOf(field: string, entries: readonly IPFilterEntry[], problems: Problem[]): readonly IPRule[] {
  return entries.flatMap(({ source, cidr }, index) => {
    const range = rangeOf(cidr)
    if (typeof range === 'string') {
      const message = `${field}[${index}].cidr: "${cidr}" ${range}`
      problems.push(error('IPFilterError', 'InvalidCIDR', message))
      return []
    }
    const address = formatIP(range.ip)
    return { source: source === 'Peer' ? 'peer' : 'remote', address, length: range.length }
  })
}

/** IPv4-mapped ones as the IPv4 range, which is how Envoy knows such clients. @returns otherwise why it is no range */
function rangeOf(cidr: string): Prefix | string {
  const ip = parseIP(cidr.split('/')[0] ?? '')
  if (ip === undefined) return noRange
  const prefix = cidr.includes('/') ? parsePrefix(cidr) : prefixOf(ip, bitsOf(ip.family))
  if (prefix === undefined) return noRange
  const unmapped = unmapIP(ip)
  if (unmapped.family === ip.family) return prefix
  const length = prefix.length - mappedLength
  return length < 0 ? `is IPv4-mapped and shorter than /${mappedLength}` : prefixOf(unmapped, length)
}

const noRange = 'is neither an address nor a prefix'

/** Of `::ffff:0:0`, below which IPv4 lies. */
const mappedLength = 96
