/** Each case is one that Envoy itself refuses with "Proto constraint validation failed", or one that it accepts. */
import { createRegistry, type DescMessage, fromJson, type JsonObject } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ClusterSchema } from '../gen/envoy/config/cluster/v3/cluster_pb.ts'
import { ListenerSchema } from '../gen/envoy/config/listener/v3/listener_pb.ts'
import { VirtualHostSchema } from '../gen/envoy/config/route/v3/route_components_pb.ts'
import { RouterSchema } from '../gen/envoy/extensions/filters/http/router/v3/router_pb.ts'
import { HttpConnectionManagerSchema } from '../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import { checkRules } from './index.ts'

const registry = createRegistry(HttpConnectionManagerSchema, RouterSchema)

function problems(schema: DescMessage, json: JsonObject): readonly string[] {
  return checkRules(schema, fromJson(schema, json, { registry }), registry).map(
    ({ path, message }) => `${path}: ${message}`,
  )
}

const route = (fields: JsonObject) => ({
  name: 'v',
  domains: ['a'],
  routes: [{ match: { prefix: '/' }, ...fields }],
})

test.each<[string, DescMessage, JsonObject, readonly string[]]>([
  ['a good cluster', ClusterSchema, { name: 'c', connect_timeout: '1s' }, []],
  ['no name', ClusterSchema, { name: '' }, ['name: must have at least 1 characters']],
  [
    'a timeout of nothing',
    ClusterSchema,
    { name: 'c', connect_timeout: '0s' },
    ['connect_timeout: must be longer than 0s'],
  ],
  [
    'a negative timeout',
    ClusterSchema,
    { name: 'c', connect_timeout: '-0.5s' },
    ['connect_timeout: must be longer than 0s'],
  ],
  [
    'a health check without what it needs',
    ClusterSchema,
    { name: 'c', health_checks: [{ timeout: '1s', http_health_check: { path: '/' } }] },
    [
      'health_checks[0].interval: is required',
      'health_checks[0].unhealthy_threshold: is required',
      'health_checks[0].healthy_threshold: is required',
    ],
  ],
  [
    'a wrapped number out of bounds',
    ClusterSchema,
    { name: 'c', ring_hash_lb_config: { minimum_ring_size: '9000000' } },
    ['ring_hash_lb_config.minimum_ring_size: 9000000 is not within <= 8388608'],
  ],
  ['a good virtual host', VirtualHostSchema, route({ direct_response: { status: 200 } }), []],
  ['no domains', VirtualHostSchema, { name: 'v' }, ['domains: needs at least 1 items']],
  ['no action', VirtualHostSchema, route({}), ['routes[0].action: one of its fields is required']],
  [
    'a status that is none',
    VirtualHostSchema,
    route({ direct_response: { status: 99 } }),
    ['routes[0].direct_response.status: 99 is not within >= 200 and < 600'],
  ],
  [
    'a header value with a line break',
    VirtualHostSchema,
    {
      ...route({ direct_response: { status: 200 } }),
      request_headers_to_add: [{ header: { key: 'a\nb', value: 'c\0d' } }],
    },
    [
      'request_headers_to_add[0].header.key: is no HTTP header name',
      'request_headers_to_add[0].header.value: is no HTTP header value',
    ],
  ],
  [
    'a match without a path',
    VirtualHostSchema,
    { ...route({}), routes: [{ match: {}, redirect: {} }] },
    ['routes[0].match.path_specifier: one of its fields is required'],
  ],
])('%s', (_, schema, json, expected) => {
  expect(problems(schema, json)).toEqual(expected)
})

test('extensions are looked into, and one that is not registered is a problem', () => {
  const filter = (typed_config: JsonObject) => ({
    filter_chains: [{ filters: [{ name: 'f', typed_config }] }],
  })
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    rds: { route_config_name: 'r' },
    http_filters: [{ name: '' }],
  }
  const at = 'filter_chains[0].filters[0].typed_config'
  expect(problems(ListenerSchema, filter(manager))).toEqual([
    `${at}.stat_prefix: must have at least 1 characters`,
    `${at}.rds.config_source: is required`,
    `${at}.http_filters[0].name: must have at least 1 characters`,
  ])
  const unknown = fromJson(ListenerSchema, filter(manager), { registry })
  expect(checkRules(ListenerSchema, unknown, createRegistry())).toMatchObject([{ path: at }])
})
