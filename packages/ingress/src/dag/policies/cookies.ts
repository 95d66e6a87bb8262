/** `cookieRewritePolicies` of a route and of its services. */
import type { CookieRewritePolicy } from '@landfall/api'
import type { CookieRewrite } from '../filters.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'

export function readCookies(
  field: string,
  policies: readonly CookieRewritePolicy[] = [],
): Checked<readonly CookieRewrite[]> {
  const problems: Problem[] = []
  const refuse = (index: number, why: string): void => {
    const message = `${field}.cookieRewritePolicies[${index}]: ${why}`
    problems.push(error('RouteError', 'CookieRewritePoliciesInvalid', message))
  }
  const rewrites = policies.map(({ name, pathRewrite, domainRewrite, secure, sameSite }, index) => {
    if (policies.findIndex((other) => other.name === name) !== index)
      refuse(index, `"${name}" is rewritten twice`)
    const rewrite = { name, path: pathRewrite?.value, domain: domainRewrite?.value, secure, sameSite }
    const { name: _, ...attributes } = rewrite
    if (Object.values(attributes).every((value) => value === undefined))
      refuse(index, `nothing of "${name}" is rewritten`)
    return rewrite
  })
  return problems.length > 0 ? refused(...problems) : ok(rewrites)
}

/** What a service asks for goes before what its route does, attribute by attribute. */
export function mergeCookies(
  route: readonly CookieRewrite[],
  service: readonly CookieRewrite[],
): readonly CookieRewrite[] {
  if (service.length === 0) return []
  const own = new Map(service.map((rewrite) => [rewrite.name, rewrite]))
  const merged = route.map((rewrite) => {
    const over = own.get(rewrite.name)
    own.delete(rewrite.name)
    if (over === undefined) return rewrite
    return {
      name: rewrite.name,
      path: over.path ?? rewrite.path,
      domain: over.domain ?? rewrite.domain,
      secure: over.secure ?? rewrite.secure,
      sameSite: over.sameSite ?? rewrite.sameSite,
    }
  })
  return [...merged, ...own.values()]
}
