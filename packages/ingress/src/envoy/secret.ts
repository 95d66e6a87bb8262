/** A key pair → the secret that Envoy fetches by SDS. Named by its object, so a rotation changes nothing else. */
import { create, toBinary } from '@bufbuild/protobuf'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import type { KeyPair } from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'

export function secretResource(keyPair: KeyPair): Resource {
  const message = create(SecretSchema, {
    name: keyPair.secret,
    type: {
      case: 'tlsCertificate',
      value: {
        certificateChain: { specifier: { case: 'inlineBytes', value: keyPair.certificates } },
        privateKey: { specifier: { case: 'inlineBytes', value: keyPair.key } },
      },
    },
  })
  return makeResource(keyPair.secret, toBinary(SecretSchema, message))
}
