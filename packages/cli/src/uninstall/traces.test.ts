import type { RawObject } from '@landfall/kube'
import { describe, expect, it } from 'vitest'
import { withoutAddress, withoutEnvoy, withoutVerdict } from './traces.ts'

const address = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
const pool = { 'metallb.io/ip-allocated-from-pool': 'default' }

function written(by: string, status: object, annotations?: Readonly<Record<string, string>>): RawObject {
  const owned = Object.fromEntries(Object.keys(status).map((field) => [`f:${field}`, {}]))
  return {
    metadata: {
      name: 'shop',
      namespace: 'web',
      ...(annotations === undefined ? {} : { annotations }),
      managedFields: [
        { manager: 'kubectl', fieldsV1: { 'f:spec': {} } },
        { manager: by, subresource: 'status', fieldsV1: { 'f:status': owned } },
      ],
    },
    spec: { type: 'LoadBalancer' },
    status,
  }
}

describe('a Service', () => {
  it('loses its address and the name of its pool, and nothing else', () => {
    const conditions = [{ type: 'Other' }]
    const service = written('landfall-controller', { ...address, conditions }, { ...pool, mine: 'kept' })
    expect(withoutAddress(service)).toEqual({
      ...service,
      metadata: { ...service.metadata, annotations: { mine: 'kept' } },
      status: { loadBalancer: {}, conditions },
    })
  })

  it('loses the condition that says why it has none, and keeps an address of somebody else', () => {
    const refused = { type: 'metallb.io/AddressAllocated', status: 'False' }
    const service = written('cloud', { ...address, conditions: [refused] })
    expect(withoutAddress(service)?.['status']).toEqual(address)
  })

  it('counts as ours by its annotation alone: its address may have been there before us', () => {
    expect(withoutAddress(written('controller', address, pool))?.['status']).toEqual({ loadBalancer: {} })
  })

  it('is left alone with the address of somebody else, or with none', () => {
    expect(withoutAddress(written('cloud', address))).toBeUndefined()
    expect(withoutAddress(written('landfall-controller', { loadBalancer: {} }))).toBeUndefined()
    expect(withoutAddress({ metadata: { name: 'shop' } })).toBeUndefined()
  })
})

describe('an Ingress', () => {
  it('loses the address of Envoy', () => {
    expect(withoutEnvoy(written('landfall-serve', address))?.['status']).toEqual({ loadBalancer: {} })
  })

  it('is left alone with the address of somebody else, or cleared already', () => {
    expect(withoutEnvoy(written('nginx', address))).toBeUndefined()
    expect(withoutEnvoy(written('landfall-serve', { loadBalancer: {} }))).toBeUndefined()
  })
})

describe('an HTTPProxy', () => {
  const fresh = { currentStatus: 'NotReconciled', description: 'Waiting for controller' }
  const status = { currentStatus: 'valid', description: 'Valid HTTPProxy', ...address }

  it('is as if nobody had looked at it, with the conditions of others', () => {
    const foreign = { type: 'Audited', status: 'True' }
    const ours = ['Valid', 'Programmed'].map((type) => ({ type, status: 'True' }))
    const conditions = [...ours, foreign]
    const proxy = written('landfall-serve', { ...status, conditions })
    expect(withoutVerdict(proxy)).toEqual({ ...proxy, status: { ...fresh, conditions: [foreign] } })
  })

  it('is left alone when somebody else wrote its status, or none did, or it is cleared', () => {
    expect(withoutVerdict(written('contour', status))).toBeUndefined()
    expect(withoutVerdict(written('landfall-uninstall', fresh))).toBeUndefined()
    expect(withoutVerdict({ metadata: { name: 'shop' }, status: fresh })).toBeUndefined()
  })
})
