/**
 * The fields of an HTTPProxy's spec that translation honours. A field outside this tree that says anything makes
 * its object invalid, by name: nothing is accepted and then ignored.
 */
import { error, type Problem } from './problem.ts'

type Fields = { readonly [name: string]: true | Fields }

const conditions: Fields = { prefix: true, exact: true, regex: true, header: true, queryParameter: true }

const headers: Fields = { set: true, remove: true }

const rateLimit: Fields = { local: true, global: true }

const service: Fields = {
  name: true,
  port: true,
  healthPort: true,
  protocol: true,
  weight: true,
  mirror: true,
  requestHeadersPolicy: headers,
  responseHeadersPolicy: headers,
  validation: true,
  cookieRewritePolicies: true,
  slowStartPolicy: true,
}

const route: Fields = {
  conditions,
  services: service,
  permitInsecure: true,
  enableWebsockets: true,
  loadBalancerPolicy: true,
  timeoutPolicy: true,
  retryPolicy: true,
  healthCheckPolicy: true,
  pathRewritePolicy: true,
  requestHeadersPolicy: headers,
  responseHeadersPolicy: headers,
  requestRedirectPolicy: true,
  directResponsePolicy: true,
  internalRedirectPolicy: true,
  cookieRewritePolicies: true,
  rateLimitPolicy: rateLimit,
  ipAllowPolicy: true,
  ipDenyPolicy: true,
  authPolicy: true,
  jwtVerificationPolicy: true,
}

const spec: Fields = {
  ingressClassName: true,
  virtualhost: {
    fqdn: true,
    tls: {
      secretName: true,
      minimumProtocolVersion: true,
      maximumProtocolVersion: true,
      passthrough: true,
      clientValidation: true,
      enableFallbackCertificate: true,
    },
    authorization: true,
    corsPolicy: true,
    rateLimitPolicy: rateLimit,
    jwtProviders: true,
    ipAllowPolicy: true,
    ipDenyPolicy: true,
  },
  routes: route,
  includes: { name: true, namespace: true, conditions },
  tcpproxy: true,
}

/** Refuses what is set but not honoured; lists are looked into item by item. */
export function unsupportedFields(value: unknown): readonly Problem[] {
  return walk(value, spec, 'spec').map((path) =>
    error('SpecError', 'NotSupported', `${path}: this field is not supported by this version`),
  )
}

function walk(value: unknown, fields: Fields, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => walk(item, fields, `${path}[${index}]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value)
    .filter(([, field]) => saysSomething(field))
    .flatMap(([name, field]) => {
      const known = fields[name]
      const at = `${path}.${name}`
      return known === undefined ? [at] : known === true ? [] : walk(field, known, at)
    })
}

/** Written-out defaults (`false`, an empty text or list) ask for nothing. */
function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  if (Array.isArray(value)) return value.length > 0
  return typeof value !== 'object' || Object.keys(value).length > 0
}
