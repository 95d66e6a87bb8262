import type { BGPAdvertisement } from '@landfall/metallb'
import { expect, test } from 'vitest'
import { refusedAttributes } from './refused-attributes.ts'

const ad = (more: Partial<BGPAdvertisement> = {}): BGPAdvertisement => ({
  name: 'ad',
  aggregationLength: 32,
  aggregationLengthV6: 128,
  localPref: 0,
  communities: [],
  peers: [],
  nodes: new Set(),
  weighted: false,
  serviceSelectors: [],
  ...more,
})
const service = (annotations: Record<string, string>) => ({ meta: { annotations, labels: { app: 'web' } } })
const med = { 'metallb.io/bgp-med': '5' }
const communities = new Map([['customer', { kind: 'standard', value: 7 } as const]])
const said = (annotations: Record<string, string>, ...bgp: readonly BGPAdvertisement[]) =>
  refusedAttributes(service(annotations), [{ bgp }], { communities })

test('nothing is said of what holds', () => {
  expect(said({})).toBeUndefined()
  expect(said(med, ad(), ad({ aggregationLength: 24 }))).toBeUndefined()
  expect(said({ 'metallb.io/bgp-communities': 'customer' }, ad())).toBeUndefined()
})

test('each wrong annotation is named', () => {
  const wrong = { 'metallb.io/bgp-med': 'x', 'metallb.io/bgp-as-path-prepend': '0' }
  expect(said(wrong, ad())).toEqual({
    status: 'False',
    reason: 'invalidAnnotation',
    message:
      'metallb.io/bgp-med: "x" is no number from 0 to 4294967295; ' +
      'metallb.io/bgp-as-path-prepend: "0" is no number from 1 to 16',
  })
})

test('an aggregate is also the route of others', () => {
  const aggregate = ad({ aggregationLength: 24, aggregationLengthV6: 64 })
  expect(said(med, aggregate)).toMatchObject({ reason: 'routesAggregated' })
  const other = ad({ serviceSelectors: [{ matchLabels: { app: 'mail' } }] })
  expect(said(med, aggregate, other)).toMatchObject({ reason: 'routesAggregated' })
})
