/**
 * How a redirect that Envoy follows itself comes to the scope of another host: it looks for the new route before it is a
 * new request, with the key that the old one had. So the cluster writes the key of the host that its backend names
 * beside the redirect, from where the route has it copied. Exact hosts are found so, and the wildcard host that the
 * request came to; all else is answered to the client as the backend said it. In: nothing. Out: the filters of a cluster.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { HeaderValueOption_HeaderAppendAction } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import { HeaderMutationSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/header_mutation/v3/header_mutation'
import { LuaSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/lua/v3/lua'
import { UpstreamCodecSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/upstream_codec/v3/upstream_codec'
import type { HttpFilterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { typed } from './message.ts'
import { scopeHeader } from './scope-key.ts'

type HttpFilter = MessageInitShape<typeof HttpFilterSchema>

/** A response passes them from the last to the first. */
export function insideRedirectFilters(): readonly HttpFilter[] {
  return [
    filter(typed('inside-redirect', LuaSchema, { defaultSourceCode: source })),
    filter(typed('scope-key', HeaderMutationSchema, { mutations: { responseMutations: [keyOfRequest] } })),
    filter(typed('codec', UpstreamCodecSchema, {})),
  ]
}

/** What a backend says in its place is no matter. */
const keyOfRequest = {
  action: {
    case: 'append' as const,
    value: {
      header: { key: scopeHeader, value: `%REQ(${scopeHeader})%` },
      appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    },
  },
}

const source = {
  specifier: {
    case: 'inlineString' as const,
    value: `local header = "${scopeHeader}"

function envoy_on_response(handle)
  local headers = handle:headers()
  local key = headers:get(header)
  local host = string.match(headers:get("location") or "", "^%a+://([^/?#]+)")
  if key == nil or host == nil or string.sub(key, 1, 5) ~= "http/" or key == "http/*" then return end
  local low = string.gsub(string.gsub(string.lower(host), ":%d+$", ""), "%.$", "")
  if string.gsub(low, "^[^.]+", "*", 1) == string.sub(key, 6) then return end
  headers:replace(header, "http/" .. low)
end
`,
  },
}

function filter({ name, typedConfig }: ReturnType<typeof typed>): HttpFilter {
  return { name, configType: { case: 'typedConfig', value: typedConfig } }
}
