/**
 * The certificate that Envoy shows to backends, one for all of them: followed as its Secret changes. While it cannot be
 * used there is none, and translation closes what would need it.
 */
import type { Key } from '@landfall/kube/model'
import { keyPairOf } from '../dag/tls-settings.ts'
import { secretResource } from '../envoy/secret.ts'
import type { Change, World } from '../model/objects.ts'
import type { Resource } from '../xds/resource.ts'

export class ClientCertificate {
  readonly #world: World
  readonly #key: Key | undefined
  #resource: Resource | undefined

  constructor(world: World, key: Key | undefined) {
    this.#world = world
    this.#key = key
  }

  get resource(): Resource | undefined {
    return this.#resource
  }

  /** Answers whether there is one now and was none, or the other way round; a rotation is neither. */
  apply(changes: readonly Change[]): boolean {
    const key = this.#key
    if (key === undefined || !changes.some((change) => change.kind === 'secret' && change.key === key))
      return false
    const before = this.#resource
    const secret = this.#world.secret.get(key)
    const pair = secret && keyPairOf(secret)
    this.#resource = pair?.ok === true ? secretResource(pair.keyPair) : undefined
    return (before === undefined) !== (this.#resource === undefined)
  }
}
