import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeResource, type Resource, typeUrls } from '../resource.ts'
import { resource } from './script.ts'
import { decodeRequest, encodeResponse } from './wire.ts'

test('a response reads as what was meant', () => {
  const resources = [resource('a', '1'), resource('b', 'x'.repeat(300))]
  const response = { type: 'clusters' as const, nonce: '7', resources, removed: ['c'], variant: 0 }
  for (const bytes of [encodeResponse(response), encodeResponse(response)]) {
    const message = fromBinary(DeltaDiscoveryResponseSchema, bytes)
    expect(message).toMatchObject({ nonce: '7', typeUrl: typeUrls.clusters, removedResources: ['c'] })
    expect(message.resources).toMatchObject(
      resources.map(({ name, version, bytes: value }) => ({
        name,
        version,
        resource: { typeUrl: typeUrls.clusters, value },
      })),
    )
  }
})

test('rule 27, 45: a response says no version of the whole and no time to live, asked to support it or not', () => {
  const node = { id: 'envoy', clientFeatures: ['xds.config.supports-resource-ttl'] }
  const ask = create(DeltaDiscoveryRequestSchema, { node, typeUrl: typeUrls.clusters })
  expect(decodeRequest(toBinary(DeltaDiscoveryRequestSchema, ask)).node).toEqual({ id: 'envoy', build: '' })
  const send = (...resources: readonly Resource[]) => {
    const response = { type: 'clusters' as const, nonce: '7', resources, removed: [], variant: 0 }
    return fromBinary(DeltaDiscoveryResponseSchema, encodeResponse(response))
  }
  const [first, again] = [send(resource('a', '1')), send(resource('a', '1'))]
  for (const { systemVersionInfo, resources } of [first, again]) {
    expect(systemVersionInfo).toBe('')
    // A body each time: one without would be a heartbeat, and a time to live that is left out is none.
    expect(resources.map(({ ttl, resource }) => [ttl, resource?.value.length])).toEqual([[undefined, 3]])
  }
})

test('a variant differs in bytes and in a mark, and in nothing that routes', () => {
  const scope = create(ScopedRouteConfigurationSchema, {
    name: 'http/a',
    routeConfiguration: {
      name: 'http/a',
      virtualHosts: [{ name: 'a', domains: ['a'] }],
      metadata: { filterMetadata: { other: { x: 1 } } },
    },
  })
  const resources = [makeResource('http/a', toBinary(ScopedRouteConfigurationSchema, scope))]
  const variants = [0, 1, 2].map((variant) => {
    const bytes = encodeResponse({ type: 'scopes', nonce: '1', resources, removed: [], variant })
    const [first] = fromBinary(DeltaDiscoveryResponseSchema, bytes).resources
    return fromBinary(ScopedRouteConfigurationSchema, first?.resource?.value ?? new Uint8Array())
  })
  expect(variants[0]).toEqual(scope)
  for (const [variant, message] of variants.entries()) {
    expect(message.routeConfiguration?.virtualHosts).toEqual(scope.routeConfiguration?.virtualHosts)
    const metadata = message.routeConfiguration?.metadata?.filterMetadata
    expect(metadata?.['other']).toEqual({ x: 1 })
    expect(metadata?.['landfall']).toEqual(variant === 0 ? undefined : { variant })
  }
})

test('a request is read with its node, its build and its error', () => {
  const message = create(DeltaDiscoveryRequestSchema, {
    typeUrl: typeUrls.scopes,
    responseNonce: '3',
    errorDetail: { code: 3, message: 'bad' },
    resourceNamesSubscribe: ['*'],
    resourceNamesUnsubscribe: ['x'],
    initialResourceVersions: { a: '1' },
    node: {
      id: 'envoy-1',
      userAgentVersionType: {
        case: 'userAgentBuildVersion',
        value: { version: { majorNumber: 1, minorNumber: 40, patch: 2 } },
      },
    },
  })
  expect(decodeRequest(toBinary(DeltaDiscoveryRequestSchema, message))).toEqual({
    typeUrl: typeUrls.scopes,
    type: 'scopes',
    nonce: '3',
    error: 'bad',
    node: { id: 'envoy-1', build: '1.40.2' },
    subscribe: ['*'],
    unsubscribe: ['x'],
    initialVersions: new Map([['a', '1']]),
  })
})

test('a request is read the same, however much it says', () => {
  const names = fc.array(fc.string(), { maxLength: 4 })
  const request = fc.record({
    typeUrl: fc.constantFrom('', 'else', ...Object.values(typeUrls)),
    responseNonce: fc.string(),
    resourceNamesSubscribe: names,
    resourceNamesUnsubscribe: names,
  })
  fc.assert(
    fc.property(request, (usual) => {
      const read = (init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) =>
        decodeRequest(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, init)))
      const node = { id: 'envoy' }
      expect({ ...read({ ...usual, node }), node: undefined }).toEqual(read(usual))
      expect(read(usual)).toMatchObject({
        nonce: usual.responseNonce,
        subscribe: usual.resourceNamesSubscribe,
        unsubscribe: usual.resourceNamesUnsubscribe,
      })
    }),
  )
})

test('any bytes are read or refused by an Error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      let thrown: unknown
      try {
        decodeRequest(bytes)
      } catch (error) {
        thrown = error
      }
      expect(thrown === undefined || thrown instanceof Error).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
