/**
 * `json-fields` → what Envoy writes for each: a name that is known here, or `name=%OPERATOR%`; and which operators of
 * Envoy a line may hold. An operator that Envoy does not know would take the listener with it.
 */
import type { Reader } from './readers.ts'

const known: Readonly<Record<string, string>> = {
  '@timestamp': '%START_TIME%',
  ts: '%START_TIME%',
  authority: '%REQ(:AUTHORITY)%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
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
}

const extra = new Set(['ts', 'x_trace_id', 'tls_ja3_fingerprint', 'tls_ja4_fingerprint'])

/** Those of a JSON log that asks for no others. */
export const defaultFields: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(known).filter(([name]) => !extra.has(name)),
)

/** In braces, whether something stands in parentheses behind the name. */
const operators: Readonly<Record<string, 'plain' | 'argument' | 'either'>> = {
  ...plain(
    'BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_REMOTE_ADDRESS ' +
      'DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT ' +
      'DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT ' +
      'DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_SERIAL ' +
      'DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS ' +
      'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_SESSION_ID ' +
      'DOWNSTREAM_TLS_VERSION DURATION GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY PROTOCOL ' +
      'REQUESTED_SERVER_NAME REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE ' +
      'RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES ' +
      'RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUTE_NAME TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT ' +
      'UPSTREAM_CLUSTER UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS UPSTREAM_REMOTE_ADDRESS UPSTREAM_REQUEST_ATTEMPT_COUNT ' +
      'UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME',
  ),
  REQ: 'argument',
  RESP: 'argument',
  TRAILER: 'argument',
  DYNAMIC_METADATA: 'argument',
  FILTER_STATE: 'argument',
  METADATA: 'argument',
  START_TIME: 'either',
  DOWNSTREAM_PEER_CERT_V_START: 'either',
  DOWNSTREAM_PEER_CERT_V_END: 'either',
  GRPC_STATUS: 'either',
}

function plain(names: string): Readonly<Record<string, 'plain'>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'plain'] as const))
}

export const jsonFields: Reader<Readonly<Record<string, string>>> = (value, say) => {
  if (!Array.isArray(value) || value.length === 0) {
    say('must be a list of fields')
    return undefined
  }
  const fields: Record<string, string> = {}
  let good = true
  for (const [index, item] of value.entries()) {
    const problem = typeof item === 'string' ? addField(fields, item) : 'must be a text'
    if (problem !== undefined) say(`item ${index}: ${problem}`)
    good &&= problem === undefined
  }
  return good ? fields : undefined
}

function addField(fields: Record<string, string>, item: string): string | undefined {
  const at = item.indexOf('=')
  const name = at < 0 ? item : item.slice(0, at)
  const own = known[name]
  if (at < 0 && own === undefined) {
    return name.startsWith('contour_config_')
      ? `"${name}" cannot be logged: routes do not carry the object that they come from`
      : `"${name}" is no field that is known; write ${name}=%OPERATOR%`
  }
  const format = at < 0 ? (own ?? '') : item.slice(at + 1)
  if (name === '' || !format.includes('%')) return `"${item}" must be name=%OPERATOR%`
  const problem = formatProblem(format)
  if (problem !== undefined) return problem
  fields[name] = format
  if (name === 'grpc_status') fields['grpc_status_number'] = known['grpc_status_number'] ?? ''
  return undefined
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
    (whole, name: string, argument: string | undefined) => {
      const shape = operators[name]
      const fits = shape === 'either' || (shape === 'argument') === (argument !== undefined)
      return shape !== undefined && fits ? '' : whole
    },
  )
  const [bad] = /%[^%]*%?/.exec(rest.replaceAll('%%', '')) ?? []
  return bad === undefined ? undefined : `"${bad}" is no command operator that can be used here`
}
