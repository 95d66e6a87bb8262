/**
 * Key pairs and authorities → the secrets that Envoy fetches by SDS. Named by their objects, so a rotation changes
 * nothing else. Many hosts share one, which is encoded once.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import type { TrustBundle } from '../dag/cluster.ts'
import type { KeyPair } from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'

const encoded = new WeakMap<KeyPair | TrustBundle, Resource>()

export function secretResource(keyPair: KeyPair): Resource {
  return once(keyPair, keyPair.secret, {
    case: 'tlsCertificate',
    value: { certificateChain: inline(keyPair.certificates), privateKey: inline(keyPair.key) },
  })
}

/** For Envoys that ask by the name of a host. */
export function hostSecret(host: string, { certificates, key }: KeyPair): Resource {
  const value = { certificateChain: inline(certificates), privateKey: inline(key) }
  const type: Content = { case: 'tlsCertificate', value }
  return makeResource(host, toBinary(SecretSchema, create(SecretSchema, { name: host, type })))
}

export function trustResource(bundle: TrustBundle): Resource {
  const { name, authorities, revocation } = bundle
  return once(bundle, name, {
    case: 'validationContext',
    value: {
      trustedCa: inline(authorities),
      ...(revocation === undefined ? {} : { crl: inline(revocation) }),
    },
  })
}

type Content = NonNullable<MessageInitShape<typeof SecretSchema>['type']>

function once(source: KeyPair | TrustBundle, name: string, type: Content): Resource {
  const known = encoded.get(source)
  if (known !== undefined) return known
  const resource = makeResource(name, toBinary(SecretSchema, create(SecretSchema, { name, type })))
  encoded.set(source, resource)
  return resource
}

function inline(value: Uint8Array) {
  return { specifier: { case: 'inlineBytes' as const, value } }
}
