/**
 * `json-fields` → what Envoy writes for each: a name that is known here, or `name=%OPERATOR%`; and which operators of
 * Envoy a line may hold. An operator that Envoy does not know would take the listener with it.
 */
import type { Reader } from './readers.ts'

const ownerData = 'METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.'

/** Of the object that a route comes from. */
function ownerField(field: string): string {
  return `%${ownerData}${field})%`
}

/** Whether a format asks for what routes say only when they are to. */
export function tellsOwners(format: string): boolean {
  return format.includes(ownerData)
}

const known: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '@timestamp': '%START_TIME%',
    ts: '%START_TIME%',
    authority: '%REQ(:AUTHORITY)%',
    bytes_received: '%BYTES_RECEIVED%',
    bytes_sent: '%BYTES_SENT%',
    contour_config_kind: ownerField('kind'),
    contour_config_name: ownerField('name'),
    contour_config_namespace: ownerField('namespace'),
    downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
    downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
    duration: '%DURATION%',
    grpc_status: '%GRPC_STATUS%',
    grpc_status_number: '%GRPC_STATUS_NUMBER%',
    method: '%REQ(:METHOD)%',
    path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
    protocol: '%PROTOCOL%',
    request_id: '%REQ(X-REQUEST-ID)%',
    requested_server_name: '%REQUESTED_SERVER_NAME%',
    response_code: '%RESPONSE_CODE%',
    response_flags: '%RESPONSE_FLAGS%',
    tls_ja3_fingerprint: '%TLS_JA3_FINGERPRINT%',
    tls_ja4_fingerprint: '%TLS_JA4_FINGERPRINT%',
    uber_trace_id: '%REQ(UBER-TRACE-ID)%',
    upstream_cluster: '%UPSTREAM_CLUSTER%',
    upstream_host: '%UPSTREAM_HOST%',
    upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
    upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
    user_agent: '%REQ(USER-AGENT)%',
    x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
    x_trace_id: '%REQ(X-TRACE-ID)%',
  }),
)

const extra = new Set([
  'contour_config_kind',
  'contour_config_name',
  'contour_config_namespace',
  'ts',
  'x_trace_id',
  'tls_ja3_fingerprint',
  'tls_ja4_fingerprint',
])

/** Those of a JSON log that asks for no others. */
export const defaultFields: Readonly<Record<string, string>> = Object.fromEntries(
  [...known].filter(([name]) => !extra.has(name)),
)

/** How an operator is written: `%A%`, `%A(x)%`, which may be cut off as `%A(x):9%`, or as `%A%` and `%A(x)%`. */
type Form = 'plain' | 'argument' | 'either'

/** Of Envoy 1.31, and of newer ones TLS_JA4_FINGERPRINT and SPAN_ID. */
const operators: Readonly<Record<string, Form>> = {
  ...plain(
    'BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_REMOTE_ADDRESS ' +
      'DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_PORT ' +
      'DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS ' +
      'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT ' +
      'DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_FINGERPRINT_1 ' +
      'DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT ' +
      'DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT ' +
      'DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION ' +
      'DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME ' +
      'GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION ' +
      'REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_DURATION ' +
      'RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ' +
      'ROUTE_NAME SPAN_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID UPSTREAM_CLUSTER ' +
      'UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS ' +
      'UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_PORT UPSTREAM_PEER_CERT UPSTREAM_PEER_ISSUER ' +
      'UPSTREAM_PEER_SUBJECT UPSTREAM_PROTOCOL UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT ' +
      'UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TLS_CIPHER UPSTREAM_TLS_SESSION_ID ' +
      'UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED ' +
      'UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME',
  ),
  DYNAMIC_METADATA: 'argument',
  ENVIRONMENT: 'argument',
  FILTER_STATE: 'argument',
  METADATA: 'argument',
  REQ: 'argument',
  REQ_WITHOUT_QUERY: 'argument',
  RESP: 'argument',
  TRAILER: 'argument',
  UPSTREAM_FILTER_STATE: 'argument',
  DOWNSTREAM_PEER_CERT_V_END: 'either',
  DOWNSTREAM_PEER_CERT_V_START: 'either',
  GRPC_STATUS: 'either',
  START_TIME: 'either',
  UPSTREAM_PEER_CERT_V_END: 'either',
  UPSTREAM_PEER_CERT_V_START: 'either',
}

/** What some arguments must look like. */
const argumentsOf: Readonly<Record<string, RegExp>> = {
  METADATA: /^\((DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER|VIRTUAL_HOST):[^()]+\)$/,
  GRPC_STATUS: /^\((CAMEL_STRING|SNAKE_STRING|NUMBER)\)$/,
  FILTER_STATE: /^\([^():]+(:(PLAIN|TYPED|FIELD:[^():]+))?\)$/,
  UPSTREAM_FILTER_STATE: /^\([^():]+(:(PLAIN|TYPED|FIELD:[^():]+))?\)$/,
}

function plain(names: string): Readonly<Record<string, 'plain'>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'plain'] as const))
}

export const jsonFields: Reader<Readonly<Record<string, string>>> = (value, say) => {
  if (!Array.isArray(value) || value.length === 0) {
    say('must be a list of fields')
    return undefined
  }
  const fields = new Map<string, string>()
  let good = true
  for (const [index, item] of value.entries()) {
    const problem = typeof item === 'string' ? addField(fields, item) : 'must be a text'
    if (problem !== undefined) say(`item ${index}: ${problem}`)
    good &&= problem === undefined
  }
  return good ? Object.fromEntries(fields) : undefined
}

function addField(fields: Map<string, string>, item: string): string | undefined {
  const at = item.indexOf('=')
  const name = at < 0 ? item : item.slice(0, at)
  const format = at < 0 ? formatOf(name) : item.slice(at + 1)
  if (format === undefined) return `"${name}" is no field that is known; write ${name}=%OPERATOR%`
  if (name === '' || format === '') return `"${item}" must be name=%OPERATOR% or name=text`
  const problem = formatProblem(format)
  if (problem !== undefined) return problem
  fields.set(name, format)
  if (name === 'grpc_status') fields.set('grpc_status_number', '%GRPC_STATUS_NUMBER%')
  return undefined
}

/** Of a field without a format: one of ours, or an operator's name in letters of any case. */
function formatOf(name: string): string | undefined {
  const operator = name.toUpperCase()
  const form = operators[operator]
  return known.get(name) ?? (form === 'plain' || form === 'either' ? `%${operator}%` : undefined)
}

export const formatLine: Reader<string> = (value, say) => {
  if (typeof value !== 'string' || value === '') {
    say('must be a text')
    return undefined
  }
  const problem = value.endsWith('\n') ? formatProblem(value) : 'must end in a line break'
  if (problem === undefined) return value
  say(problem)
  return undefined
}

/** What Envoy would not take of a format; undefined: it takes it. */
function formatProblem(format: string): string | undefined {
  const rest = format.replaceAll(
    /%([A-Z0-9_]+)(\([^()]*\))?(:\d+)?%/g,
    (whole, name: string, argument: string | undefined, cut: string | undefined) =>
      fits(name, argument, cut !== undefined) ? '' : whole,
  )
  const [bad] = /%[^%]*%?/.exec(rest.replaceAll('%%', '')) ?? []
  return bad === undefined ? undefined : `"${bad}" is no command operator that can be used here`
}

function fits(name: string, argument: string | undefined, isCut: boolean): boolean {
  const form = operators[name]
  if (form === undefined || (isCut && form !== 'argument')) return false
  if (argument === undefined) return form !== 'argument'
  return form !== 'plain' && argument !== '()' && (argumentsOf[name]?.test(argument) ?? true)
}
