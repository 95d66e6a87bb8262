import { expect, test } from 'vitest'
import { engineOptions } from './engine-options.ts'
import { differing, needRestart, readConfiguration, readFileText, togetherProblems } from './read.ts'
import { refused } from './refused.ts'
import { settings } from './settings.ts'

test('an empty file, and one with only what old files have, says nothing', () => {
  expect(readFileText('')).toEqual({ settings: {}, problems: [] })
  expect(readFileText('server: {}\ntls:\ntimeouts: {}\n')).toEqual({ settings: {}, problems: [] })
})

test("the file that comes with Contour's manifests is read", () => {
  const text = `
disablePermitInsecure: false
tls:
  minimum-protocol-version: "1.2"
  fallback-certificate:
accesslog-format: envoy
timeouts:
  request-timeout: infinity
  connection-idle-timeout: 60s
policy:
  request-headers:
    set:
      X-Forwarded-Proto: https
network:
  num-trusted-hops: 1
cluster:
  dns-lookup-family: v4
`
  expect(readFileText(text)).toEqual({
    problems: [],
    settings: {
      disablePermitInsecure: false,
      tlsMinimum: '1.2',
      accessLogFormat: 'envoy',
      requestTimeout: 'infinite',
      connectionIdle: 60_000,
      requestSet: { 'X-Forwarded-Proto': 'https' },
      trustedHops: 1,
      dnsLookupFamily: 'v4',
    },
  })
})

test('every problem is told with its path, and what is good beside them is read', () => {
  const text = `
timeouts:
  request-timeout: 5 minutes
  connect-timeout: infinity
  stream-idle-timout: 5s
tls: yes please
accesslog-level: loud
network:
  num-trusted-hops: -1
  admin-port: 9001
default-http-versions: [HTTP/3]
featureFlags: [useEverything]
`
  const { settings: read, problems } = readFileText(text)
  expect(read).toEqual({ adminPort: 9001 })
  expect(problems).toEqual([
    {
      path: 'timeouts.request-timeout',
      message: '"5 minutes" is no duration such as 30s, nor infinity',
    },
    { path: 'timeouts.connect-timeout', message: 'must be a duration such as 2s, not infinity' },
    { path: 'timeouts.stream-idle-timout', message: 'is no key that is known' },
    { path: 'tls', message: 'must be a map' },
    {
      path: 'accesslog-level',
      message: '"loud" is none of "info", "error", "critical", "disabled"',
    },
    { path: 'network.num-trusted-hops', message: 'must be a whole number, 0 to 4294967295' },
    { path: 'default-http-versions', message: 'item 0: "HTTP/3" is none of "HTTP/1.1", "HTTP/2"' },
    { path: 'featureFlags', message: 'there are no feature flags' },
  ])
})

test('what is no YAML, or no map, is told', () => {
  expect(readFileText('a: [').problems).toMatchObject([{ path: '' }])
  expect(readFileText('timeouts: *none').problems).toMatchObject([
    { path: '', message: expect.stringContaining('alias') },
  ])
  expect(readFileText('- a').problems).toEqual([{ path: '', message: 'must be a map' }])
  expect(readFileText('debug: true\ndebug: false\n').problems).toMatchObject([{ path: '' }])
})

test.each(refused.filter(({ file }) => file !== undefined))('$file is refused with its reason', (one) => {
  const parts = (one.file ?? '').split('.')
  const document = parts.reduceRight<unknown>((inner, key) => ({ [key]: inner }), { name: 'a' })
  expect(readConfiguration(document, 'file').problems).toEqual([{ path: one.file, message: one.why }])
})

test('what contradicts itself is refused', () => {
  const text = 'tls: {minimum-protocol-version: "1.3", maximum-protocol-version: "1.2"}\n'
  expect(readFileText(text).problems).toEqual([
    { path: 'tls.minimum-protocol-version', message: '1.3 is above the maximum 1.2' },
  ])
  const stats = 'metrics: {envoy: {server-certificate-path: /a, server-key-path: /b}}\n'
  expect(readFileText(stats).problems).toEqual([
    {
      path: 'metrics.envoy.server-certificate-path',
      message: 'needs a port of its own, apart from that of health',
    },
  ])
  const limits = readFileText('rateLimitService: {domain: a}\nomEnforcedHealthListener: {address: 0.0.0.0}\n')
  expect(limits.problems.map(({ path }) => path)).toEqual([
    'rateLimitService.domain',
    'omEnforcedHealthListener.address',
  ])
  const metrics = 'metrics: {contour: {server-certificate-path: /a}}\n'
  expect(readFileText(metrics).problems).toEqual([
    { path: 'metrics.contour.server-certificate-path', message: 'certificate and key go together' },
  ])
})

test('statistics over TLS need a place that flags do not take for health', () => {
  const text = 'metrics: {envoy: {port: 8002, server-certificate-path: /a, server-key-path: /b}}\n'
  const { settings, problems } = readFileText(text)
  expect(problems).toEqual([])
  const path = 'metrics.envoy.server-certificate-path'
  const message = 'needs a port of its own, apart from that of health'
  expect(togetherProblems(settings, 'file')).toEqual([{ path, message }])
  expect(togetherProblems({ ...settings, statsPort: 8010 }, 'file')).toEqual([])
})

test('a ContourConfiguration says the same under its own paths', () => {
  const spec = {
    envoy: {
      listener: { useProxyProtocol: true, tls: { minimumProtocolVersion: '1.4' } },
      timeouts: { connectTimeout: '5s' },
    },
    gateway: { gatewayRef: { name: 'a', namespace: 'b' } },
    httpproxy: { rootNamespaces: ['roots'] },
  }
  expect(readConfiguration(spec, 'object')).toEqual({
    settings: { useProxyProtocol: true, connect: 5000, rootNamespaces: ['roots'] },
    problems: [
      { path: 'envoy.listener.tls.minimumProtocolVersion', message: '"1.4" is none of "1.2", "1.3"' },
      { path: 'gateway', message: expect.stringContaining('take this key out') },
    ],
  })
})

test('no path stands for two settings', () => {
  for (const source of ['file', 'object'] as const) {
    const known = Object.values<{ readonly file?: string; readonly object?: string }>(settings)
    const paths = [...known, ...refused].flatMap((one) => one[source] ?? [])
    expect(new Set(paths).size).toBe(paths.length)
  }
})

test('what needs a restart is told apart from what does not', () => {
  const before = { metricsPort: 8000, connect: 2000 }
  const after = { metricsPort: 8001, connect: 3000 }
  expect(differing(before, after)).toEqual(['metricsPort', 'connect'])
  expect(needRestart(before, after)).toEqual(['metricsPort'])
})

test('fields of the JSON log: known ones, own ones, and what Envoy would refuse', () => {
  const read = (...fields: readonly string[]) => readConfiguration({ 'json-fields': fields }, 'file')
  expect(read('@timestamp', 'grpc_status', 'who=%REQ(X-WHO?X-NAME):20%', 'at=%START_TIME(%s)%')).toEqual({
    problems: [],
    settings: {
      accessLogFields: {
        '@timestamp': '%START_TIME%',
        grpc_status: '%GRPC_STATUS%',
        grpc_status_number: '%GRPC_STATUS_NUMBER%',
        who: '%REQ(X-WHO?X-NAME):20%',
        at: '%START_TIME(%s)%',
      },
    },
  })
  const messages = read('unknown', 'a=', 'b=%NO_SUCH%', 'c=%REQ%', 'd=%PROTOCOL').problems
  expect(messages.map(({ message }) => message)).toEqual([
    'item 0: "unknown" is no field that is known; write unknown=%OPERATOR%',
    'item 1: "a=" must be name=%OPERATOR% or name=text',
    'item 2: "%NO_SUCH%" is no command operator that can be used here',
    'item 3: "%REQ%" is no command operator that can be used here',
    'item 4: "%PROTOCOL" is no command operator that can be used here',
  ])
  expect(readFileText('accesslog-format-string: "%PROTOCOL%"\n').problems).toEqual([
    { path: 'accesslog-format-string', message: 'must end in a line break' },
  ])
})

test('the rate limit service is read, with the descriptors of hosts that have none', () => {
  const text = `
rateLimitService:
  extensionService: limits/service
  domain: shop
  failOpen: true
  defaultGlobalRateLimitPolicy:
    descriptors: [{entries: [{remoteAddress: {}}, {genericKey: {key: a, value: b}}]}]
`
  const { settings: read, problems } = readFileText(text)
  expect(problems).toEqual([])
  expect(engineOptions(read).dag.rateLimitService).toEqual({
    extensionService: 'limits/service',
    domain: 'shop',
    failOpen: true,
    enableXRateLimitHeaders: false,
    enableResourceExhaustedCode: false,
    defaultGlobalRateLimitPolicy: {
      descriptors: [{ entries: [{ remoteAddress: {} }, { genericKey: { key: 'a', value: 'b' } }] }],
    },
  })
  const bad = `
rateLimitService:
  extensionService: service
  defaultGlobalRateLimitPolicy:
    descriptors: [{entries: [{genericKey: {key: a}}, {who: {}}, {requestHeaderValueMatch: {headers: [{name: a, regex: '('}], value: b}}]}]
`
  const messages = readFileText(bad).problems.map(({ path, message }) => `${path}: ${message}`)
  const at = 'rateLimitService.defaultGlobalRateLimitPolicy: descriptors: item 0: entries'
  expect(messages).toEqual([
    'rateLimitService.extensionService: must be namespace/name of an ExtensionService',
    `${at}: item 0: genericKey: value: is needed`,
    `${at}: item 1: who: is no key that is known`,
  ])
})

test('the authorization server of all hosts is read, and what it cannot be asked is told', () => {
  const text = `
globalExtAuth:
  extensionService: auth/server
  serviceType: http
  httpSettings: {pathPrefix: /check, allowedUpstreamHeaders: [{exact: x-user}]}
  authPolicy: {disabled: true}
  responseTimeout: 1s
  failOpen: true
  withRequestBody: {packAsBytes: true}
`
  const { settings: read, problems } = readFileText(text)
  expect(problems).toEqual([])
  expect(engineOptions(read).dag.globalAuthorization).toEqual({
    extensionService: 'auth/server',
    server: {
      serviceType: 'http',
      httpSettings: { pathPrefix: '/check', allowedUpstreamHeaders: [{ exact: 'x-user' }] },
      authPolicy: { disabled: true },
      responseTimeout: '1s',
      failOpen: true,
      withRequestBody: { maxRequestBytes: 1024, packAsBytes: true },
    },
  })
  const bad = `
globalExtAuth: {extensionService: auth/server, serviceType: http, authPolicy: {context: {a: b}}, responseTimeout: soon}
`
  expect(readFileText(bad).problems.map(({ path }) => path)).toEqual([
    'globalExtAuth.responseTimeout',
    'globalExtAuth.authPolicy.context',
  ])
  const spec = { globalExtAuth: { extensionRef: { name: 'server', namespace: 'auth' }, failOpen: true } }
  const object = readConfiguration(spec, 'object')
  expect(object.problems).toEqual([])
  expect(engineOptions(object.settings).dag.globalAuthorization?.extensionService).toBe('auth/server')
  expect(readFileText('globalExtAuth: {failOpen: true}\n').problems).toMatchObject([
    { path: 'globalExtAuth.failOpen' },
  ])
})

test('tracing is read, by each of its names, and what nobody could be told is refused', () => {
  const keys = {
    includePodDetail: false,
    serviceName: 'edge',
    overallSampling: '50',
    clientSampling: 10,
    randomSampling: '0.5',
    maxPathTagLength: 64,
    customTags: [
      { tagName: 'zone', literal: 'a' },
      { tagName: 'who', requestHeaderName: 'X-Who' },
    ],
  }
  const options = (value: object, source: 'file' | 'object') => {
    const { settings: read, problems } = readConfiguration({ tracing: value }, source)
    expect(problems).toEqual([])
    return engineOptions(read).dag.tracing
  }
  const read = { ...keys, extensionService: 'traces/otel', overallSampling: 50, randomSampling: 0.5 }
  expect(options({ extensionService: 'traces/otel', ...keys }, 'file')).toEqual(read)
  const reference = { namespace: 'traces', name: 'otel' }
  expect(options({ extensionService: reference, ...keys }, 'object')).toEqual(read)
  expect(options({ extensionService: 'traces/otel' }, 'file')).toEqual({
    extensionService: 'traces/otel',
    includePodDetail: true,
    serviceName: 'contour',
    overallSampling: 100,
    clientSampling: 100,
    randomSampling: 100,
    maxPathTagLength: 256,
    customTags: [],
  })
  const bad = `
tracing:
  overallSampling: "101"
  customTags: [{tagName: a}, {literal: b}, {tagName: c, requestHeaderName: "x y"}, {tagName: d, literal: e, requestHeaderName: f}]
`
  expect(readFileText(bad).problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    'tracing.overallSampling: "101" is no percentage, 0 to 100',
    'tracing.customTags: item 0: exactly one of literal and requestHeaderName must be given',
    'tracing.customTags: item 1: tagName: is needed',
    'tracing.customTags: item 2: requestHeaderName: "x y" is no header name',
    'tracing.customTags: item 3: exactly one of literal and requestHeaderName must be given',
  ])
  const twice =
    'tracing: {customTags: [{tagName: a, literal: b}, {tagName: a, literal: c}], serviceName: e}\n'
  expect(readFileText(twice).problems).toEqual([
    { path: 'tracing.customTags', message: 'tag "a" is given twice' },
    {
      path: 'tracing.serviceName',
      message: 'counts for nothing without tracing.extensionService, with name and namespace',
    },
  ])
})
