/** What is asked and answered on one stream, in both variants of the protocol. Bytes in, bytes and JSON out. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { type ResourceType, typeUrls } from '../xds/resource.ts'
import { printable } from './printable.ts'

export interface Asking {
  readonly type: ResourceType
  readonly delta: boolean
  readonly nack: boolean
  readonly nodeId: string
  readonly names: readonly string[]
}

export interface Taken {
  readonly shown: unknown
  readonly reply: Buffer
}

/** Envoy's code of an invalid argument. */
const refusal = { code: 3, message: 'refused as asked for by --nack' }

export class Conversation {
  readonly #asking: Asking
  #version = ''

  constructor(asking: Asking) {
    this.#asking = asking
  }

  first(): Buffer {
    return this.#asking.delta ? this.#deltaRequest('') : this.#request('')
  }

  take(answer: Buffer): Taken {
    return this.#asking.delta ? this.#takeDelta(answer) : this.#takeFull(answer)
  }

  #takeFull(answer: Buffer): Taken {
    const { versionInfo, nonce, resources, typeUrl } = fromBinary(DiscoveryResponseSchema, answer)
    if (!this.#asking.nack) this.#version = versionInfo
    const shown = { versionInfo, nonce, typeUrl, resources: resources.map((one) => this.#show(one)) }
    return { shown, reply: this.#request(nonce) }
  }

  #takeDelta(answer: Buffer): Taken {
    const { systemVersionInfo, nonce, resources, removedResources, typeUrl } = fromBinary(
      DeltaDiscoveryResponseSchema,
      answer,
    )
    const shown = {
      systemVersionInfo,
      nonce,
      typeUrl,
      resources: resources.map(({ name, version, resource }) => ({
        name,
        version,
        resource: resource && this.#show(resource),
      })),
      removedResources,
    }
    return { shown, reply: this.#deltaRequest(nonce) }
  }

  #show(resource: Any): unknown {
    return printable(this.#asking.type, resource)
  }

  #request(responseNonce: string): Buffer {
    const { nodeId, names, nack, type } = this.#asking
    const message = create(DiscoveryRequestSchema, {
      node: { id: nodeId },
      typeUrl: typeUrls[type],
      resourceNames: [...names],
      versionInfo: this.#version,
      responseNonce,
      ...(nack && responseNonce !== '' ? { errorDetail: refusal } : {}),
    })
    return Buffer.from(toBinary(DiscoveryRequestSchema, message))
  }

  #deltaRequest(responseNonce: string): Buffer {
    const { nodeId, names, nack, type } = this.#asking
    const isFirst = responseNonce === ''
    const message = create(DeltaDiscoveryRequestSchema, {
      node: { id: nodeId },
      typeUrl: typeUrls[type],
      resourceNamesSubscribe: isFirst ? (names.length === 0 ? ['*'] : [...names]) : [],
      responseNonce,
      ...(nack && !isFirst ? { errorDetail: refusal } : {}),
    })
    return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message))
  }
}
