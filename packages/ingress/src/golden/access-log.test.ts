/** Each operator that an access log may hold is taken by a real Envoy, in a line and in JSON. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { engineOptions } from '../configuration/engine-options.ts'
import { readConfiguration } from '../configuration/read.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const plain = (
  'BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_REMOTE_ADDRESS ' +
  'DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HEADER_BYTES_RECEIVED ' +
  'DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT ' +
  'DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT ' +
  'DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_FINGERPRINT_1 ' +
  'DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT ' +
  'DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT ' +
  'DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_WIRE_BYTES_RECEIVED ' +
  'DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY ' +
  'PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE ' +
  'RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES ' +
  'RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUTE_NAME SPAN_ID START_TIME TLS_JA3_FINGERPRINT ' +
  'TLS_JA4_FINGERPRINT TRACE_ID UPSTREAM_CLUSTER UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT ' +
  'UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_PORT UPSTREAM_PEER_CERT ' +
  'UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT ' +
  'UPSTREAM_PROTOCOL UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_PORT ' +
  'UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TLS_CIPHER UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION ' +
  'UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME'
).split(' ')

const withArgument = [
  '%DOWNSTREAM_PEER_CERT_V_START(%s)%',
  '%DYNAMIC_METADATA(a:b):3%',
  '%ENVIRONMENT(HOME):9%',
  '%FILTER_STATE(a:PLAIN):9%',
  '%GRPC_STATUS(SNAKE_STRING)%',
  '%METADATA(ROUTE:a:b):3%',
  '%METADATA(VIRTUAL_HOST:a)%',
  '%REQ(X-A?X-B):9%',
  '%RESP(X-A)%',
  '%START_TIME(%Y %s.%3f)%',
  '%TRAILER(X-A)%',
  '%UPSTREAM_FILTER_STATE(a)%',
  '%UPSTREAM_PEER_CERT_V_END(%s)%',
]
const operators = [...plain.map((name) => `%${name}%`), ...withArgument]
const path = '%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%'

const line = { 'accesslog-format-string': `${path} ${operators.join(' ')}\n` }
const json = {
  'accesslog-format': 'json',
  'json-fields': [
    `path=${path}`,
    'env=lab',
    ...plain,
    ...withArgument.map((one, index) => `a${index}=${one}`),
  ],
}

const ways: readonly Way[] = ['delta', 'streams']

describe.skipIf(withoutEnvoy()).each(ways)('logs, in an Envoy by way of %s', (way) => {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  test.each([
    { form: 'a line', file: line, starts: '/a ', holds: [] },
    { form: 'JSON', file: json, starts: '{', holds: ['"path":"/a"', '"env":"lab"', '"PROTOCOL":"HTTP/1.1"'] },
  ])('every operator, in $form', async ({ file, starts, holds }) => {
    const stand = await new Stand().open()
    closing.push(() => stand.close())
    const backend = await new Backend('one').open()
    closing.push(() => backend.close())
    const envoy = await stand.startEnvoy(way)
    const { settings, problems } = readConfiguration(file, 'file')
    expect(problems).toEqual([])
    const log = join(stand.directory, 'access.log')
    const at = (port: number) => ({ address: '127.0.0.1', port })
    const bind = { http: at(stand.httpPort), https: at(stand.httpsPort), stats: at(0) }
    const listeners = {
      ...engineOptions(settings).listeners,
      ...bind,
      httpAccessLog: log,
      httpsAccessLog: log,
    }
    const objects =
      serviceObjects('one', [{ http: backend.port }]) +
      proxyObject('plain', 'routes: [{services: [{name: one, port: 80}]}]')
    stand.publishEach((layout) => translateFor(stand, objects, layout, { listeners }))
    await eventually('settled', () => settled(stand))
    expect(stand.refused).toEqual([])
    await eventually('answered', () => stand.http('plain.test', '/a?secret=b'))
    const logged = await eventually('logged', () => readFileSync(log, 'utf8').trim() || undefined)
    expect(logged.startsWith(starts)).toBe(true)
    expect(logged).not.toContain('secret')
    for (const text of holds) expect(logged).toContain(text)
    expect(await envoy.log()).not.toMatch(/rejected|deprecated/)
  })
})
