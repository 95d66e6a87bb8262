/**
 * How a request finds its scope. An early mutation writes the key into a header of our own (a client cannot forge
 * it): `http/<authority>`, `https/<server name of the handshake>`, or `fallback/<authority>` where that names no host. Scopes have no wildcards, and the key is
 * taken as the client wrote it; so on a miss, and only then, Lua looks again:
 *   1. in lower case, without port and trailing dot;
 *   2. with `*` for the first label, where the wildcard hosts are; each has a scope of its own and stands for one
 *      label. Over TLS the host must be the one of the handshake, as exact hosts ensure by their 421 virtual host;
 *   3. under `*`, the default host.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { HeaderValueOption_HeaderAppendAction } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import { LuaSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/lua/v3/lua'
import type {
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { HeaderMutationSchema } from '@envoyproxy/envoy-types/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation'
import { configSource, typed } from './message.ts'
import type { Side } from './names.ts'

export const scopeHeader = 'x-ingress-scope'

/**
 * Ends the names of routes that only a chain which checks clients may serve. Between a change of listeners and that of
 * scopes, or where Envoy refuses a listener, a wildcard may take such a host to a chain that checks nobody: that answers 421.
 */
export const guardedMark = ' guarded'

type HttpFilter = MessageInitShape<typeof HttpFilterSchema>
type Manager = MessageInitShape<typeof HttpConnectionManagerSchema>

const keys: Readonly<Record<Side, string>> = {
  http: 'http/%REQ(:AUTHORITY)%',
  https: 'https/%REQUESTED_SERVER_NAME%',
  fallback: 'fallback/%REQ(:AUTHORITY)%',
}

export function scopeKeyMutation(side: Side): NonNullable<Manager['earlyHeaderMutationExtensions']>[number] {
  const append = {
    header: { key: scopeHeader, value: keys[side] },
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  }
  return typed('envoy.http.early_header_mutation.header_mutation', HeaderMutationSchema, {
    mutations: [{ action: { case: 'append', value: append } }],
  })
}

/** The same on both sides: connection managers with the same message share one table. */
export function scopedRoutes(): NonNullable<Manager['routeSpecifier']> {
  return {
    case: 'scopedRoutes',
    value: {
      name: 'scopes',
      scopeKeyBuilder: {
        fragments: [
          {
            type: {
              case: 'headerValueExtractor',
              value: { name: scopeHeader, extractType: { case: 'index', value: 0 } },
            },
          },
        ],
      },
      rdsConfigSource: configSource('ads'),
      configSpecifier: { case: 'scopedRds', value: { scopedRdsConfigSource: configSource('ads') } },
    },
  }
}

/**
 * `clearRouteCache` chooses the scope again, but only once something asks for the route: `metadata()` does, the
 * first time that a filter calls it. So a filter can look once after each change of the key but its last, which
 * is for the filter behind it to look at.
 */
export function scopeLookup(side: Side, guarded: boolean): readonly HttpFilter[] {
  const steps = [lua('scope-wildcard', side === 'https' && !guarded ? openLookup : wildcardLookup)]
  return side === 'http' ? [...steps, lua('scope-default', defaultLookup)] : steps
}

/** Answers 421 unless the host asked for is the one of the handshake. */
export function handshakeHost(): HttpFilter {
  return lua('handshake-host', handshakeCheck)
}

function lua(name: string, inlineString: string): HttpFilter {
  const { typedConfig } = typed(name, LuaSchema, {
    defaultSourceCode: { specifier: { case: 'inlineString', value: inlineString } },
  })
  return { name, configType: { case: 'typedConfig', value: typedConfig } }
}

const lookup = `local header = "${scopeHeader}"

local function lookup(handle)
  local info = handle:streamInfo()
  if info:routeName() ~= "" then return end
  local headers = handle:headers()
  local key = headers:get(header)
  if key == nil then return end

  local low = string.gsub(string.gsub(string.lower(key), ":%d+$", ""), "%.$", "")
  if low ~= key then
    headers:replace(header, low)
    handle:clearRouteCache()
    handle:metadata()
    if info:routeName() ~= "" then return end
  end

  if string.sub(low, 1, 6) == "https/" then
    local host = string.gsub(string.lower(headers:get(":authority") or ""), ":%d+$", "")
    if low ~= "https/" .. host then
      handle:respond({[":status"] = "421"}, "")
      return
    end
  end

  local wildcard = string.gsub(low, "^(%a+/)[^.]+%.", "%1*.", 1)
  headers:replace(header, wildcard)
  handle:clearRouteCache()
end
`

const wildcardLookup = `${lookup}
function envoy_on_request(handle)
  lookup(handle)
end
`

const openLookup = `${lookup}
function envoy_on_request(handle)
  lookup(handle)
  local info = handle:streamInfo()
  if info:routeName() == "" then handle:metadata() end
  if string.sub(info:routeName(), -${guardedMark.length}) == "${guardedMark}" then
    handle:respond({[":status"] = "421"}, "")
  end
end
`

const handshakeCheck = `function envoy_on_request(handle)
  local host = string.lower(handle:headers():get(":authority") or "")
  host = string.gsub(string.gsub(host, ":%d+$", ""), "%.$", "")
  if host ~= handle:streamInfo():requestedServerName() then handle:respond({[":status"] = "421"}, "") end
end
`

/** Only the plain side has a default host: no certificate stands for any name. */
const defaultLookup = `function envoy_on_request(handle)
  local info = handle:streamInfo()
  if info:routeName() ~= "" then return end
  handle:metadata()
  if info:routeName() ~= "" then return end
  handle:headers():replace("${scopeHeader}", "http/*")
  handle:clearRouteCache()
end
`
