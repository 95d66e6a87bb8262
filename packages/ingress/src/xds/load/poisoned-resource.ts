/**
 * Stands in for `resource.ts` in the bundle of a drill: what the drill's objects mark is encoded so that an Envoy refuses
 * it, although nothing here finds fault with it. A message goes on with what is written behind it.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { Cluster_LbPolicy, ClusterSchema } from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import { ClusterLoadAssignmentSchema } from '@envoyproxy/envoy-types/envoy/config/endpoint/v3/endpoint'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { RouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import { makeResource as make, type References, type Resource } from '../resource.ts'

export * from '../resource.ts'

interface Poison {
  readonly marked: (name: string, text: string) => boolean
  readonly bytes: (name: string) => Uint8Array
}

const poisons: readonly Poison[] = [
  {
    marked: (name) => name.startsWith('shop/poison-clusters/80/'),
    bytes: () =>
      toBinary(ClusterSchema, create(ClusterSchema, { lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED })),
  },
  {
    marked: (_, text) => text.includes('10.244.66.6'),
    bytes: () => {
      const endpoints = [{ priority: 200 }]
      return toBinary(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, { endpoints }))
    },
  },
  {
    marked: (name, text) => name.startsWith('http/poison-') && text.includes('POISON'),
    bytes: (name) => {
      const virtualHosts = [{ name: 'again', domains: [name.slice('http/'.length)] }]
      const message = create(ScopedRouteConfigurationSchema, { routeConfiguration: { virtualHosts } })
      return toBinary(ScopedRouteConfigurationSchema, message)
    },
  },
  {
    marked: (name, text) => /^(ingress_http$|https\/poison-)/.test(name) && text.includes('POISON'),
    bytes: () => {
      const virtualHosts = ['one', 'two'].map((name) => ({ name, domains: ['twice.test'] }))
      return toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { virtualHosts }))
    },
  },
  {
    marked: (name, text) =>
      name === 'shop/poison-secrets' && text.split('-----BEGIN CERTIFICATE-----').length === 3,
    bytes: () => {
      const privateKey = { specifier: { case: 'inlineString' as const, value: 'no key' } }
      const type = { case: 'tlsCertificate' as const, value: { privateKey } }
      return toBinary(SecretSchema, create(SecretSchema, { type }))
    },
  },
  {
    marked: (name, text) => name === 'ingress_https' && text.includes('shop/poison-listeners'),
    bytes: () => {
      const filters = [{ name: 'no.such.filter' }]
      return toBinary(ListenerSchema, create(ListenerSchema, { filterChains: [{ name: 'no', filters }] }))
    },
  },
]

export function makeResource(name: string, bytes: Uint8Array, references?: References): Resource {
  const text = new TextDecoder('latin1').decode(bytes)
  const poison = poisons.find(({ marked }) => marked(name, text))
  if (poison === undefined) return make(name, bytes, references)
  return make(name, new Uint8Array([...bytes, ...poison.bytes(name)]), references)
}
