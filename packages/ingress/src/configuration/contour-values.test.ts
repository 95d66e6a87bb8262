/** Values that Contour takes, and what they mean: none of them may keep the program from starting. */
import { expect, test } from 'vitest'
import { engineOptions } from './engine-options.ts'
import { readConfiguration, readFileText } from './read.ts'

const defaults = engineOptions({})

test.each([
  'timeouts: {request-timeout: 0s, connection-idle-timeout: "0", stream-idle-timeout: 0}',
  'timeouts: {max-connection-duration: "", delayed-close-timeout: 0ms, connection-shutdown-grace-period: ""}',
  'timeouts: {connect-timeout: ""}',
  'timeouts: {connect-timeout: 0s}',
  'tls: {minimum-protocol-version: "", maximum-protocol-version: ""}',
  'tls: {fallback-certificate: {name: "", namespace: ""}, envoy-client-certificate: {name: "", namespace: ""}}',
  'tls: {cipher-suites: [], ecdh-curves: []}',
  'cluster: {upstream-tls: {minimum-protocol-version: "", maximum-protocol-version: ""}}',
  'default-http-versions: []',
  'default-http-versions: [http/2, http/1.1]',
  'accesslog-format-string: ""',
  'json-fields: []',
  'compression: {algorithm: ""}',
  'serverHeaderTransformation: ""',
  'ingress-status-address: ""',
  'kubernetesClientQPS: 0',
  'kubernetesClientBurst: 0',
  'rateLimitService: {extensionService: "", domain: ""}',
  'metrics: {contour: {address: "", server-certificate-path: "", server-key-path: "", ca-certificate-path: ""}}',
  'metrics: {envoy: {address: "", server-certificate-path: "", server-key-path: "", ca-certificate-path: ""}}',
  'envoy-service-name: ""',
  'globalExtAuth: {extensionService: ""}',
])('%s leaves the defaults', (text) => {
  const { settings, problems } = readFileText(text)
  expect(problems).toEqual([])
  const { listeners, ...others } = engineOptions(settings)
  const httpVersions = listeners.httpVersions.toSorted()
  expect({ ...others, listeners: { ...listeners, httpVersions } }).toEqual(defaults)
})

test('a ContourConfiguration leaves them by the same values', () => {
  const spec = {
    envoy: {
      timeouts: { requestTimeout: '', connectTimeout: '0s' },
      defaultHTTPVersions: [],
      logging: { accessLogFormatString: '', accessLogJSONFields: [] },
      listener: { tls: { minimumProtocolVersion: '' } },
    },
  }
  expect(readConfiguration(spec, 'object')).toEqual({ settings: {}, problems: [] })
})

test('what stands without quotes is taken as it is written, and words of YAML 1.1 are flags', () => {
  const text = `
tls: {minimum-protocol-version: 1.3}
disablePermitInsecure: yes
disableMergeSlashes: "on"
enableExternalNameService: off
rateLimitService: {extensionService: a/b, domain: 12}
`
  expect(readFileText(text)).toEqual({
    problems: [],
    settings: {
      tlsMinimum: '1.3',
      disablePermitInsecure: true,
      disableMergeSlashes: true,
      enableExternalName: false,
      rateLimitService: 'a/b',
      rateLimitDomain: '12',
    },
  })
})

test('no grace at the end of a connection is one of no length', () => {
  const { settings, problems } = readFileText('timeouts: {connection-shutdown-grace-period: infinity}')
  expect(problems).toEqual([])
  expect(engineOptions(settings).listeners.timeouts.drain).toBe('infinite')
})

test('no default version of HTTP by its name is still told', () => {
  expect(readFileText('default-http-versions: [http/3]').problems).toEqual([
    { path: 'default-http-versions', message: 'item 0: "HTTP/3" is none of "HTTP/1.1", "HTTP/2"' },
  ])
})

test('a duration that Envoy cannot count is cut, one below zero refused', () => {
  const { settings, problems } = readFileText(
    'timeouts: {request-timeout: 99999999h, delayed-close-timeout: -1s}',
  )
  expect(settings.requestTimeout).toBe(100 * 365 * 24 * 3_600_000)
  expect(problems.map(({ path }) => path)).toEqual(['timeouts.delayed-close-timeout'])
})

test('a field of the JSON log may be an operator by its name, or a text', () => {
  const fields = [
    'DURATION',
    'upstream_tls_version',
    'START_TIME',
    'env=lab',
    'id=%TRACE_ID%/%SPAN_ID%',
    'a=b=c',
  ]
  expect(readConfiguration({ 'json-fields': fields }, 'file')).toEqual({
    problems: [],
    settings: {
      accessLogFields: {
        DURATION: '%DURATION%',
        upstream_tls_version: '%UPSTREAM_TLS_VERSION%',
        START_TIME: '%START_TIME%',
        env: 'lab',
        id: '%TRACE_ID%/%SPAN_ID%',
        a: 'b=c',
      },
    },
  })
})

test.each([
  'constructor',
  'req',
  'a=',
  '=b',
  'a=%PROTOCOL(x)%',
  'a=%PROTOCOL:3%',
  'a=%START_TIME(%s):3%',
  'a=%METADATA(HOST:a:b)%',
  'a=%GRPC_STATUS(LOUD)%',
  'a=%FILTER_STATE(a:FIELD)%',
  'a=%ENVIRONMENT%',
  'a=%UPSTREAM_FILTER_STATE%',
])('%s is told, as Envoy would refuse it', (field) => {
  expect(readConfiguration({ 'json-fields': [field] }, 'file').problems).toHaveLength(1)
})
