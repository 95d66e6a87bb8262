/** For tests: the resources of a small ingress, in the layout that a real Envoy was measured with. */
import { createRegistry, type DescMessage, fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf'
import { ClusterSchema } from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import { ClusterLoadAssignmentSchema } from '@envoyproxy/envoy-types/envoy/config/endpoint/v3/endpoint'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { RouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import { RouterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/router/v3/router'
import { TlsInspectorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector'
import { HttpConnectionManagerSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { HeaderMutationSchema } from '@envoyproxy/envoy-types/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import { DownstreamTlsContextSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import { RuntimeSchema } from '@envoyproxy/envoy-types/envoy/service/runtime/v3/rtds'
import { makeResource, type References, type Resource } from '../resource.ts'

const registry = createRegistry(
  DownstreamTlsContextSchema,
  HeaderMutationSchema,
  HttpConnectionManagerSchema,
  RouterSchema,
  TlsInspectorSchema,
)

function encode(schema: DescMessage, name: string, json: JsonObject, references?: References): Resource {
  return makeResource(name, toBinary(schema, fromJson(schema, json, { registry })), references)
}

const extension = 'type.googleapis.com/envoy.extensions.'
const ads = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' }
const streams = {
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'contour' } }],
  },
  resource_api_version: 'V3',
  initial_fetch_timeout: '0s',
}

export function cluster(name: string, extra: JsonObject = {}): Resource {
  const json = { name, type: 'EDS', connect_timeout: '2s', eds_cluster_config: { eds_config: ads }, ...extra }
  return encode(ClusterSchema, name, json, { endpoints: [name] })
}

/** Whose endpoints come over a stream of their own. */
export function streamedCluster(name: string, extra: JsonObject = {}): Resource {
  return cluster(name, { eds_cluster_config: { eds_config: streams }, ...extra })
}

export function endpoints(cluster_name: string, ...ports: readonly number[]): Resource {
  const lb_endpoints = ports.map((port_value) => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value } } },
  }))
  return encode(ClusterLoadAssignmentSchema, cluster_name, { cluster_name, endpoints: [{ lb_endpoints }] })
}

/** Of a priority that an Envoy refuses. */
export function refusedEndpoints(cluster_name: string): Resource {
  return encode(ClusterLoadAssignmentSchema, cluster_name, { cluster_name, endpoints: [{ priority: 200 }] })
}

/** `key` is `http/host` or `https/host`; the route is any fields of a Route's match and action. */
export function scope(key: string, route: JsonObject, clusters: readonly string[] = []): Resource {
  const host = key.split('/')[1] ?? ''
  const json = {
    name: key,
    key: { fragments: [{ string_key: key }] },
    route_configuration: {
      name: key,
      validate_clusters: false,
      ignore_port_in_host_matching: true,
      request_headers_to_remove: ['x-ingress-scope'],
      virtual_hosts: [
        { name: host, domains: [host], routes: [{ name: 'route', match: { prefix: '/' }, ...route }] },
      ],
    },
  }
  return encode(ScopedRouteConfigurationSchema, key, json, { clusters })
}

/** A table of routes, for an Envoy with a stream for each thing. */
export function table(name: string, routes: Readonly<Record<string, JsonObject>>): Resource {
  const virtual_hosts = Object.entries(routes).map(([host, route]) => ({
    name: host,
    domains: [host],
    routes: [{ match: { prefix: '/' }, ...route }],
  }))
  return encode(RouteConfigurationSchema, name, { name, virtual_hosts })
}

export function toCluster(name: string): JsonObject {
  return { route: { cluster: name } }
}

export function answer(text: string): JsonObject {
  return { direct_response: { status: 200, body: { inline_string: text } } }
}

function scopes(prefix: string, key: string): JsonObject {
  return {
    early_header_mutation_extensions: [
      {
        name: 'envoy.http.early_header_mutation.header_mutation',
        typed_config: {
          '@type': `${extension}http.early_header_mutation.header_mutation.v3.HeaderMutation`,
          mutations: [
            {
              append: {
                header: { key: 'x-ingress-scope', value: `${prefix}/${key}` },
                append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
              },
            },
          ],
        },
      },
    ],
    scoped_routes: {
      name: 'scopes',
      scope_key_builder: {
        fragments: [{ header_value_extractor: { name: 'x-ingress-scope', index: 0 } }],
      },
      rds_config_source: ads,
      scoped_rds: { scoped_rds_config_source: ads },
    },
  }
}

function manager(prefix: string, routing: JsonObject): JsonObject {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${extension}filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: prefix,
      ...routing,
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': `${extension}filters.http.router.v3.Router` },
        },
      ],
    },
  }
}

function address(port_value: number): JsonObject {
  return { socket_address: { address: '127.0.0.1', port_value } }
}

export function httpListener(port: number, extra: JsonObject = {}): Resource {
  const filter_chains = [{ name: 'http', filters: [manager('http', scopes('http', '%REQ(:AUTHORITY)%'))] }]
  return encode(ListenerSchema, 'http', { name: 'http', address: address(port), filter_chains, ...extra })
}

/** Whose routes are the table of the same name. */
export function tableListener(name: string, port: number): Resource {
  const rds = { route_config_name: name, config_source: streams }
  const filter_chains = [{ filters: [manager(name, { rds })] }]
  return encode(ListenerSchema, name, { name, address: address(port), filter_chains })
}

export function httpsListener(port: number, secret: string, name = 'https'): Resource {
  const tls = {
    '@type': `${extension}transport_sockets.tls.v3.DownstreamTlsContext`,
    common_tls_context: {
      alpn_protocols: ['http/1.1'],
      tls_certificate_sds_secret_configs: [{ name: secret, sds_config: ads }],
    },
  }
  const json = {
    name,
    address: address(port),
    listener_filters: [
      {
        name: 'envoy.filters.listener.tls_inspector',
        typed_config: { '@type': `${extension}filters.listener.tls_inspector.v3.TlsInspector` },
      },
    ],
    filter_chains: [
      {
        name: 'default',
        transport_socket_connect_timeout: '5s',
        filters: [manager('https', scopes('https', '%REQUESTED_SERVER_NAME%'))],
        transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: tls },
      },
    ],
  }
  return encode(ListenerSchema, name, json, { secrets: [secret] })
}

export function secret(name: string, pair: { readonly certificate: string; readonly key: string }): Resource {
  const tls_certificate = {
    certificate_chain: { inline_string: pair.certificate },
    private_key: { inline_string: pair.key },
  }
  return encode(SecretSchema, name, { name, tls_certificate })
}

export function runtime(layer: JsonObject): Resource {
  return encode(RuntimeSchema, 'dynamic', { name: 'dynamic', layer })
}
