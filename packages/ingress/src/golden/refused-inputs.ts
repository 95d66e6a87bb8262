/**
 * For tests: inputs that the API server takes and Envoy would refuse. Each has a value that Envoy takes in the same
 * place, and differs from the good input in that value alone; so does what Envoy is given.
 */
import {
  type Fields,
  header,
  host,
  long,
  match,
  proxy,
  quoted,
  type RefusedInput,
  route,
  secure,
  shop,
} from './refused-input.ts'
import { refusedSettings } from './refused-settings.ts'

const refusedRegexes: Readonly<Record<string, string>> = {
  'with a lookahead': '/a(?=b)',
  'that does not end': '/a(',
  'that repeats too often': '/a{1001}',
  'whose repetitions multiply': '/((a{100}){100}){100}',
  'with a class that there is not': '/[[:none:]]',
  'with a backreference': '/(a)\\1',
}

const routes: readonly RefusedInput[] = [
  ...Object.entries(refusedRegexes).map(
    ([what, bad]): RefusedInput => ({
      name: `a path regex ${what}`,
      objects: (regex) => route({ conditions: [{ regex }] }),
      good: '/good',
      bad,
      problem: ['RouteError', 'PathMatchConditionsNotValid'],
      written: [['"regex":"/good"', `"regex":"${quoted(bad)}"`]],
    }),
  ),
  {
    name: 'a regex for a header',
    objects: (regex) => route(match({ regex })),
    good: 'good-one',
    bad: '*',
    problem: ['RouteError', 'HeaderMatchConditionsNotValid'],
  },
  {
    name: 'a line break in the name of a header to match',
    objects: (name) => route({ conditions: [{ header: { name, present: true } }] }),
    good: 'x-good',
    bad: 'x-\ngood',
    problem: ['RouteError', 'HeaderMatchConditionsNotValid'],
  },
  {
    name: 'a regex for a query parameter',
    objects: (regex) => route({ conditions: [{ queryParameter: { name: 'a', regex } }] }),
    good: 'good-one',
    bad: '[z-a]',
    problem: ['RouteError', 'QueryParameterMatchConditionsNotValid'],
  },
  {
    name: 'the name of a query parameter that is too long',
    objects: (name) => route({ conditions: [{ queryParameter: { name, present: true } }] }),
    good: 'good-one',
    bad: long(1025),
    problem: ['RouteError', 'QueryParameterMatchConditionsNotValid'],
  },
  {
    name: 'NUL in the path of a redirect',
    objects: (path) => [proxy({ routes: [{ requestRedirectPolicy: { path } }] })],
    good: '/good',
    bad: '/go\0od',
    problem: ['RouteError', 'RequestRedirectPolicy'],
  },
  {
    name: 'NUL in the prefix of a redirect',
    objects: (prefix) => [proxy({ routes: [{ requestRedirectPolicy: { prefix } }] })],
    good: '/good',
    bad: '/go\0od',
    problem: ['RouteError', 'RequestRedirectPolicy'],
  },
  {
    name: 'a line break in the replacement of a prefix',
    objects: (replacement) =>
      route({ conditions: [{ prefix: '/a' }], pathRewritePolicy: { replacePrefix: [{ replacement }] } }),
    good: '/good',
    bad: '/go\nod',
    problem: ['PrefixReplaceError', 'ReplacementNotValid'],
  },
  {
    name: 'a body that is too long for a direct answer',
    objects: (body) => [proxy({ routes: [{ directResponsePolicy: { statusCode: 200, body } }] })],
    good: long(4096),
    bad: long(4097),
    problem: ['RouteError', 'DirectResponseNotValid'],
  },
  {
    name: 'a line break in the host of a route',
    objects: (value) => route({ requestHeadersPolicy: { set: [{ name: 'Host', value }] } }),
    good: 'good.test',
    bad: 'go\nod.test',
    problem: ['RouteError', 'RequestHeadersPolicyInvalid'],
  },
  {
    name: 'a line break in the host of a Service',
    objects: (value) => route({}, { requestHeadersPolicy: { set: [{ name: 'Host', value }] } }),
    good: 'good.test',
    bad: 'go\nod.test',
    problem: ['ServiceError', 'RequestHeadersPolicyInvalid'],
  },
  {
    name: 'NUL in a header for the backend',
    objects: (value) => route({ requestHeadersPolicy: header(value) }),
    good: 'good-one',
    bad: 'go\0od',
    problem: ['RouteError', 'RequestHeadersPolicyInvalid'],
  },
  {
    name: 'a header for the backend that is too long',
    objects: (value) => route({ requestHeadersPolicy: header(value) }),
    good: long(16_384),
    bad: long(16_385),
    problem: ['RouteError', 'RequestHeadersPolicyInvalid'],
  },
  {
    name: 'the name of a header for the backend that is too long',
    objects: (name) => route({ requestHeadersPolicy: { set: [{ name, value: 'a' }] } }),
    good: long(16_384),
    bad: long(16_385),
    problem: ['RouteError', 'RequestHeadersPolicyInvalid'],
  },
  {
    name: 'a line break in a header for the client',
    objects: (value) => route({ responseHeadersPolicy: header(value) }),
    good: 'good-one',
    bad: 'go\nod',
    problem: ['RouteError', 'ResponseHeaderPolicyInvalid'],
  },
  {
    name: 'a line break in a header of a Service for the client',
    objects: (value) => route({}, { responseHeadersPolicy: header(value) }),
    good: 'good-one',
    bad: 'go\nod',
    problem: ['ServiceError', 'ResponseHeadersPolicyInvalid'],
  },
  {
    name: 'a line break in the name of a header to hash by',
    objects: (headerName) =>
      route({
        loadBalancerPolicy: {
          strategy: 'RequestHash',
          requestHashPolicies: [{ headerHashOptions: { headerName } }],
        },
      }),
    good: 'x-good',
    bad: 'x-go\nod',
    problem: ['RouteError', 'LoadBalancerPolicyNotValid'],
  },
  {
    name: 'weights whose sum is too great',
    objects: (weight) => [
      proxy({
        routes: [
          {
            services: [
              { ...shop, weight: Number(weight) },
              { ...shop, weight: Number(weight) },
            ],
          },
        ],
      }),
    ],
    good: '1234567',
    bad: '4294967295',
    problem: ['RouteError', 'ServiceWeightsNotValid'],
  },
]

const filters: readonly RefusedInput[] = [
  {
    name: 'a status of a local rate limit that Envoy does not know',
    objects: (status) =>
      route({
        rateLimitPolicy: { local: { requests: 1, unit: 'second', responseStatusCode: Number(status) } },
      }),
    good: '503',
    bad: '418',
    problem: ['RouteError', 'RateLimitPolicyNotValid'],
    written: [['"ServiceUnavailable"', '418']],
  },
  {
    name: 'a line break in a header of a local rate limit',
    objects: (value) =>
      host({
        rateLimitPolicy: {
          local: { requests: 1, unit: 'second', responseHeadersToAdd: [{ name: 'x-a', value }] },
        },
      }),
    good: 'good-one',
    bad: 'go\nod',
    problem: ['VirtualHostError', 'RateLimitPolicyNotValid'],
  },
  {
    name: 'a header of a local rate limit that is too long',
    objects: (value) =>
      route({
        rateLimitPolicy: {
          local: { requests: 1, unit: 'second', responseHeadersToAdd: [{ name: 'x-a', value }] },
        },
      }),
    good: long(16_384),
    bad: long(16_385),
    problem: ['RouteError', 'RateLimitPolicyNotValid'],
  },
  {
    name: 'a line break in the name of a header that is counted by',
    objects: (headerName) => route(descriptor({ requestHeader: { headerName, descriptorKey: 'a' } })),
    good: 'x-good',
    bad: 'x-go\nod',
    problem: ['RouteError', 'RateLimitPolicyNotValid'],
  },
  {
    name: 'a regex for a header that is counted by',
    objects: (regex) =>
      route(descriptor({ requestHeaderValueMatch: { headers: [{ name: 'x-a', regex }], value: 'a' } })),
    good: 'good-one',
    bad: '+',
    problem: ['RouteError', 'RateLimitPolicyNotValid'],
  },
  {
    name: 'an origin that is a regex, and none',
    objects: (origin) => host({ corsPolicy: { allowOrigin: [origin], allowMethods: ['GET'] } }),
    good: 'good.*',
    bad: 'go(od',
    problem: ['CORSError', 'PolicyDidNotParse'],
  },
  {
    name: 'a prefix that is longer than an address',
    objects: (cidr) => host({ ipAllowPolicy: [{ source: 'Peer', cidr }] }),
    good: '10.0.0.0/31',
    bad: '10.0.0.0/129',
    problem: ['IPFilterError', 'InvalidCIDR'],
    written: [['"prefix_len":31', '"prefix_len":129']],
  },
  {
    name: 'a path of an authorization server that does not start with a slash',
    objects: (pathPrefix) => [
      {
        kind: 'ExtensionService',
        metadata: { name: 'auth', namespace: 'web' },
        spec: { services: [shop], protocol: 'h2c' },
      },
      ...secure({
        authorization: { extensionRef: { name: 'auth' }, serviceType: 'http', httpSettings: { pathPrefix } },
      }),
    ],
    good: '/good',
    bad: 'good',
    problem: ['AuthError', 'AuthBadPathPrefix'],
    written: [['"path_prefix":"/good"', '"path_prefix":"good"']],
  },
]

function descriptor(entry: Fields): Fields {
  return { rateLimitPolicy: { global: { descriptors: [{ entries: [entry] }] } } }
}

export const refusedInputs: readonly RefusedInput[] = [...routes, ...filters, ...refusedSettings]
