/** While a speaker of MetalLB may announce an address, Landfall's stay silent for it. */
import { describe, expect, it } from 'vitest'
import { Planner } from './planner.ts'
import { foreignSpeaker, type Written, worldOf } from './testing.ts'

const node = (name: string, foreign: boolean, labels: Record<string, string> = {}): Written => ({
  kind: 'Node',
  metadata: { name, labels: { ...labels, ...(foreign ? { [foreignSpeaker]: '' } : {}) } },
})
const endpoint = {
  kind: 'EndpointSlice',
  metadata: { name: 'web' },
  spec: {
    serviceName: 'web',
    endpoints: [{ ready: true, serving: true, terminating: false, nodeName: 'n1' }],
  },
}
const rest = (spec: object, ad: object): readonly Written[] => [
  endpoint,
  { kind: 'IPAddressPool', metadata: { name: 'pool' }, spec: { addresses: ['192.0.2.0/24'] } },
  { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip: '192.0.2.1' }], ...spec } },
  { kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: ad },
]

function planned(nodes: readonly Written[], spec: object = {}, ad: object = {}) {
  const plan = new Planner().plan(worldOf('n1', [...nodes, ...rest(spec, ad)]))
  const { layer2 } = plan.services.get('default/web') ?? {}
  return {
    reason: layer2?.kind === 'silent' ? layer2.reason : undefined,
    ips: [...plan.layer2.keys()],
  }
}

const silent = { reason: 'foreignSpeaker', ips: [] }
const announced = { reason: undefined, ips: ['192.0.2.1'] }

describe('an address is left to MetalLB', () => {
  it('while one of its speakers is left', () => {
    expect(planned([node('n1', false), node('n2', true)])).toEqual(silent)
  })

  it('and taken when none is', () => {
    expect(planned([node('n1', false), node('n2', false)])).toEqual(announced)
  })

  it('only where that speaker is eligible: by the advertisement', () => {
    const east = { nodeSelectors: [{ matchLabels: { side: 'east' } }] }
    expect(planned([node('n1', false, { side: 'east' }), node('n2', true)], {}, east)).toEqual(announced)
  })

  it('by its endpoints', () => {
    const local = { externalTrafficPolicy: 'Local' }
    expect(planned([node('n1', false), node('n2', true)], local)).toEqual(announced)
    expect(planned([node('n1', true), node('n2', false)], local)).toEqual(silent)
  })

  it('whatever its taints, which it does not mind', () => {
    const tainted = { ...node('n2', true), spec: { outOfService: true } }
    expect(planned([node('n1', false), tainted])).toEqual(silent)
  })

  it('and by the exclude label', () => {
    const label = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
    expect(planned([node('n1', false), node('n2', true, label)])).toEqual(announced)
  })
})
