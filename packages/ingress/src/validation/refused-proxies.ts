/** For tests: HTTPProxies that their definition refuses. */

/** A kind, what of it is refused, the spec, and the fields that the answer names. */
export type Row = readonly [kind: string, what: string, spec: unknown, ...fields: readonly string[]]

const virtualhost = { fqdn: 'shop.test' }
const service = { name: 'shop', port: 80 }
const hosts = (more: object) => ({
  virtualhost: { ...virtualhost, ...more },
  routes: [{ services: [service] }],
})
const routes = (more: object) => ({ virtualhost, routes: [{ services: [service], ...more }] })
const services = (more: object) => ({ virtualhost, routes: [{ services: [{ ...service, ...more }] }] })
const keys = { name: 'a', remoteJWKS: { uri: 'https://keys.test/' } }

export const refusedProxies: readonly Row[] = [
  ['HTTPProxy', 'no spec', undefined, 'spec'],
  ['HTTPProxy', 'no host', { virtualhost: {} }, 'spec.virtualhost.fqdn'],
  ...['', '*', '*.*.test', 'Shop.test', 'a_b.test', '-a.test', 'shop.test.', 'shop.test:80'].map(
    (fqdn): Row => ['HTTPProxy', `the host "${fqdn}"`, hosts({ fqdn }), 'spec.virtualhost.fqdn'],
  ),
  [
    'HTTPProxy',
    'Secrets of clients without a name',
    hosts({ tls: { clientValidation: { caSecret: '', crlSecret: '' } } }),
    'spec.virtualhost.tls.clientValidation.caSecret',
    'spec.virtualhost.tls.clientValidation.crlSecret',
  ],
  [
    'HTTPProxy',
    'httpSettings of a server that speaks gRPC',
    hosts({ authorization: { extensionRef: { name: 'a' }, httpSettings: { pathPrefix: '/a' } } }),
    'spec.virtualhost.authorization',
  ],
  [
    'HTTPProxy',
    'an authorization server as it cannot be',
    hosts({
      authorization: {
        serviceType: 'tcp',
        extensionRef: { name: '', namespace: '', apiVersion: '' },
        responseTimeout: 'soon',
        withRequestBody: { maxRequestBytes: 0 },
      },
    }),
    'spec.virtualhost.authorization.serviceType',
    'spec.virtualhost.authorization.extensionRef.name',
    'spec.virtualhost.authorization.extensionRef.namespace',
    'spec.virtualhost.authorization.extensionRef.apiVersion',
    'spec.virtualhost.authorization.responseTimeout',
    'spec.virtualhost.authorization.withRequestBody.maxRequestBytes',
  ],
  [
    'HTTPProxy',
    'CORS of no origin, a method of two words, a time below zero',
    hosts({ corsPolicy: { allowOrigin: [], allowMethods: ['GET PUT'], maxAge: '-1s' } }),
    'spec.virtualhost.corsPolicy.allowOrigin',
    'spec.virtualhost.corsPolicy.allowMethods[0]',
    'spec.virtualhost.corsPolicy.maxAge',
  ],
  [
    'HTTPProxy',
    'CORS without methods',
    hosts({ corsPolicy: { allowOrigin: ['*'] } }),
    'spec.virtualhost.corsPolicy.allowMethods',
  ],
  [
    'HTTPProxy',
    'local rate limits out of bounds',
    hosts({
      rateLimitPolicy: {
        local: {
          requests: 0,
          unit: 'day',
          burst: -1,
          responseStatusCode: 399,
          responseHeadersToAdd: [{ name: '', value: '' }],
        },
      },
    }),
    'spec.virtualhost.rateLimitPolicy.local.requests',
    'spec.virtualhost.rateLimitPolicy.local.unit',
    'spec.virtualhost.rateLimitPolicy.local.burst',
    'spec.virtualhost.rateLimitPolicy.local.responseStatusCode',
    'spec.virtualhost.rateLimitPolicy.local.responseHeadersToAdd[0].name',
  ],
  [
    'HTTPProxy',
    'global rate limits of nothing',
    {
      virtualhost: { ...virtualhost, rateLimitPolicy: { global: { descriptors: [] } } },
      routes: [
        {
          services: [service],
          rateLimitPolicy: {
            global: {
              descriptors: [
                { entries: [] },
                {
                  entries: [
                    { genericKey: { value: '' } },
                    { requestHeader: { headerName: '', descriptorKey: '' } },
                    { requestHeaderValueMatch: { headers: [], value: '' } },
                  ],
                },
              ],
            },
          },
        },
      ],
    },
    'spec.virtualhost.rateLimitPolicy.global.descriptors',
    'spec.routes[0].rateLimitPolicy.global.descriptors[0].entries',
    'spec.routes[0].rateLimitPolicy.global.descriptors[1].entries[0].genericKey.value',
    'spec.routes[0].rateLimitPolicy.global.descriptors[1].entries[1].requestHeader.headerName',
    'spec.routes[0].rateLimitPolicy.global.descriptors[1].entries[2].requestHeaderValueMatch.headers',
  ],
  [
    'HTTPProxy',
    'tokens of no keys, and of two',
    hosts({
      jwtProviders: [{ name: 'none' }, { ...keys, localJWKS: { secretName: 'keys', key: 'jwks' } }],
    }),
    'spec.virtualhost.jwtProviders[0]',
    'spec.virtualhost.jwtProviders[1]',
  ],
  [
    'HTTPProxy',
    'keys that cannot be fetched',
    hosts({
      jwtProviders: [
        { name: '', remoteJWKS: { uri: '', timeout: '1', cacheDuration: 'long', dnsLookupFamily: 'v5' } },
      ],
    }),
    'spec.virtualhost.jwtProviders[0].name',
    'spec.virtualhost.jwtProviders[0].remoteJWKS.uri',
    'spec.virtualhost.jwtProviders[0].remoteJWKS.timeout',
    'spec.virtualhost.jwtProviders[0].remoteJWKS.cacheDuration',
    'spec.virtualhost.jwtProviders[0].remoteJWKS.dnsLookupFamily',
  ],
  [
    'HTTPProxy',
    'address filters of an unknown source, and of no address',
    hosts({ ipAllowPolicy: [{ source: 'Client', cidr: '10.0.0.0/8' }], ipDenyPolicy: [{ source: 'Peer' }] }),
    'spec.virtualhost.ipAllowPolicy[0].source',
    'spec.virtualhost.ipDenyPolicy[0].cidr',
  ],
  [
    'HTTPProxy',
    'a service out of bounds',
    services({ port: 65_536, healthPort: 0, weight: -1, protocol: 'http' }),
    'spec.routes[0].services[0].port',
    'spec.routes[0].services[0].healthPort',
    'spec.routes[0].services[0].weight',
    'spec.routes[0].services[0].protocol',
  ],
  [
    'HTTPProxy',
    'a service of no name, and of a port by name',
    { virtualhost, routes: [{ services: [{ port: 'http' }] }] },
    'spec.routes[0].services[0].port',
    'spec.routes[0].services[0].name',
  ],
  [
    'HTTPProxy',
    'names of backends: none, too long, too many',
    {
      virtualhost,
      routes: [
        {
          services: [
            { ...service, validation: { caSecret: '', subjectName: 'x'.repeat(251), subjectNames: [] } },
            {
              ...service,
              validation: { caSecret: 'ca', subjectNames: Array.from({ length: 9 }, () => 'a.test') },
            },
          ],
        },
      ],
    },
    'spec.routes[0].services[0].validation.caSecret',
    'spec.routes[0].services[0].validation.subjectName',
    'spec.routes[0].services[0].validation.subjectNames',
    'spec.routes[0].services[1].validation.subjectNames',
  ],
  [
    'HTTPProxy',
    'a slow start that is none',
    services({ slowStartPolicy: { window: 'long', aggression: '-1', minWeightPercent: 101 } }),
    'spec.routes[0].services[0].slowStartPolicy.window',
    'spec.routes[0].services[0].slowStartPolicy.aggression',
    'spec.routes[0].services[0].slowStartPolicy.minWeightPercent',
  ],
  [
    'HTTPProxy',
    'times and retries that are none',
    routes({
      timeoutPolicy: { response: '5 s', idle: '-1s', idleConnection: '5' },
      retryPolicy: { count: -2, perTryTimeout: 'never', retryOn: ['always'] },
    }),
    'spec.routes[0].timeoutPolicy.response',
    'spec.routes[0].timeoutPolicy.idle',
    'spec.routes[0].timeoutPolicy.idleConnection',
    'spec.routes[0].retryPolicy.count',
    'spec.routes[0].retryPolicy.perTryTimeout',
    'spec.routes[0].retryPolicy.retryOn[0]',
  ],
  [
    'HTTPProxy',
    'health checks out of bounds',
    routes({
      healthCheckPolicy: {
        intervalSeconds: -1,
        timeoutSeconds: -1,
        unhealthyThresholdCount: -1,
        healthyThresholdCount: -1,
        expectedStatuses: [{ start: 99, end: 601 }],
      },
    }),
    'spec.routes[0].healthCheckPolicy.path',
    'spec.routes[0].healthCheckPolicy.intervalSeconds',
    'spec.routes[0].healthCheckPolicy.timeoutSeconds',
    'spec.routes[0].healthCheckPolicy.unhealthyThresholdCount',
    'spec.routes[0].healthCheckPolicy.healthyThresholdCount',
    'spec.routes[0].healthCheckPolicy.expectedStatuses[0].start',
    'spec.routes[0].healthCheckPolicy.expectedStatuses[0].end',
  ],
  [
    'HTTPProxy',
    'a redirect to nowhere',
    {
      virtualhost,
      routes: [
        {
          requestRedirectPolicy: {
            scheme: 'ftp',
            hostname: 'Shop.test',
            port: 0,
            statusCode: 304,
            path: 'a',
            prefix: 'b',
          },
        },
      ],
    },
    'spec.routes[0].requestRedirectPolicy.scheme',
    'spec.routes[0].requestRedirectPolicy.hostname',
    'spec.routes[0].requestRedirectPolicy.port',
    'spec.routes[0].requestRedirectPolicy.statusCode',
    'spec.routes[0].requestRedirectPolicy.path',
    'spec.routes[0].requestRedirectPolicy.prefix',
  ],
  ...[199, 600].map(
    (statusCode): Row => [
      'HTTPProxy',
      `the answer ${statusCode}`,
      { virtualhost, routes: [{ directResponsePolicy: { statusCode } }] },
      'spec.routes[0].directResponsePolicy.statusCode',
    ],
  ),
  [
    'HTTPProxy',
    'redirects that are followed without end',
    routes({
      internalRedirectPolicy: {
        maxInternalRedirects: -1,
        redirectResponseCodes: [304],
        allowCrossSchemeRedirect: 'Sometimes',
      },
    }),
    'spec.routes[0].internalRedirectPolicy.maxInternalRedirects',
    'spec.routes[0].internalRedirectPolicy.redirectResponseCodes[0]',
    'spec.routes[0].internalRedirectPolicy.allowCrossSchemeRedirect',
  ],
  [
    'HTTPProxy',
    'cookies that no browser takes',
    routes({
      cookieRewritePolicies: [
        {
          name: 'a b',
          pathRewrite: { value: '/;' },
          domainRewrite: { value: '.shop.test' },
          sameSite: 'lax',
        },
      ],
    }),
    'spec.routes[0].cookieRewritePolicies[0].name',
    'spec.routes[0].cookieRewritePolicies[0].pathRewrite.value',
    'spec.routes[0].cookieRewritePolicies[0].domainRewrite.value',
    'spec.routes[0].cookieRewritePolicies[0].sameSite',
  ],
  [
    'HTTPProxy',
    'headers, parameters and prefixes without a text',
    routes({
      conditions: [{ header: { name: '' } }, { queryParameter: { name: '' } }],
      requestHeadersPolicy: { set: [{ name: '', value: '' }] },
      pathRewritePolicy: { replacePrefix: [{ prefix: '', replacement: '' }] },
      loadBalancerPolicy: { requestHashPolicies: [{ headerHashOptions: { headerName: '' } }] },
    }),
    'spec.routes[0].conditions[0].header.name',
    'spec.routes[0].conditions[1].queryParameter.name',
    'spec.routes[0].requestHeadersPolicy.set[0].name',
    'spec.routes[0].requestHeadersPolicy.set[0].value',
    'spec.routes[0].pathRewritePolicy.replacePrefix[0].prefix',
    'spec.routes[0].pathRewritePolicy.replacePrefix[0].replacement',
    'spec.routes[0].loadBalancerPolicy.requestHashPolicies[0].headerHashOptions.headerName',
  ],
  ['HTTPProxy', 'an include of no name', { includes: [{ name: '' }] }, 'spec.includes[0].name'],
  ['HTTPProxy', 'a field that there is not', { ...routes({}), timeout: '5s' }, 'spec.timeout'],
]
