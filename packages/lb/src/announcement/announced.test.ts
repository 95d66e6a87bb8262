import { expect, test } from 'vitest'
import { allNamedAt, announcedOf, type Reported } from './announced.ts'
import { bgpType, layer2Type } from './report.ts'

type Status = {
  readonly node?: string
  readonly reason?: string
  readonly message?: string
  /** Of the object. */
  readonly since?: string
}

function reported(layer2: readonly Status[], bgp: readonly Status[] = []): Reported {
  const of = (type: typeof layer2Type, all: readonly Status[]) =>
    all.map(({ since: creationTimestamp = '', ...status }, i) =>
      type((said) => said).project({
        metadata: { name: `r${i}`, labels: { 'metallb.io/service-name': 'web' }, creationTimestamp },
        status: { serviceNamespace: 'default', ...status },
      }),
    )
  return { layer2: of(layer2Type, layer2), bgp: of(bgpType, bgp) }
}

const noon = Date.parse('2026-01-01T12:00:00Z')

const cases: readonly (readonly [string, Reported, string])[] = [
  ['one node', reported([{ node: 'n1' }]), 'True Announced by layer 2 from node n1'],
  [
    'by BGP, from any number of nodes',
    reported([], [{ node: 'n2' }, { node: 'n1' }]),
    'True Announced by BGP',
  ],
  [
    'both',
    reported([{ node: 'n1' }], [{ node: 'n1' }, { node: 'n2' }]),
    'True Announced by layer 2 from node n1; by BGP',
  ],
  [
    'one of them silent',
    reported([{ node: 'n1' }], [{ reason: 'conflictingAdvertisements', message: 'they differ' }]),
    'True Announced by layer 2 from node n1; not by BGP: they differ',
  ],
  [
    'one of two addresses, as each of two owners says',
    reported(
      ['n1', 'n2'].map((node) => ({ node, message: 'not announced by layer 2: 2001:db8::1: none is alive' })),
      [{ node: 'n1' }],
    ),
    'True Announced by layer 2 from nodes n1, n2; by BGP; not announced by layer 2: 2001:db8::1: none is alive',
  ],
  ['none', reported([{ reason: 'noEndpoints', message: 'none ready' }]), 'False noEndpoints none ready'],
  [
    'none, for one reason',
    reported(
      [{ reason: 'noEndpoints', message: 'none ready' }],
      [{ reason: 'noEndpoints', message: 'none ready' }],
    ),
    'False noEndpoints none ready',
  ],
  [
    'none, for two reasons',
    reported(
      [{ reason: 'nodeLabeledExcludeBalancers', message: 'excluded' }],
      [{ reason: 'notOwner', message: 'no peer' }],
    ),
    'False nodeLabeledExcludeBalancers not by layer 2: excluded; not by BGP: no peer',
  ],
  [
    'an owner that cannot',
    reported([{ node: 'n1', reason: 'announceFailed', message: 'no interface' }]),
    'False announceFailed no interface',
  ],
  ['nothing said', reported([]), 'Unknown notReported no speaker has reported on it yet'],
]

test.each(cases)('%s', (_, from, expected) => {
  const said = announcedOf(from, true, true, noon)
  expect(`${said?.status} ${said?.reason} ${said?.message}`).toBe(expected)
})

test('without an address there is nothing to announce', () => {
  expect(announcedOf(reported([{ node: 'n1' }]), false, false, noon)).toMatchObject({
    status: 'False',
    reason: 'noIPAllocated',
  })
})

test('where not all may be read, silence says nothing, but what is read counts', () => {
  expect(announcedOf(reported([]), true, false, noon)).toBeUndefined()
  expect(announcedOf(reported([], [{ node: 'n1' }]), true, false, noon)?.status).toBe('True')
})

test('of two owners the later is named, as what the other said before its death is yet to be deleted; both once that is over', () => {
  const both = reported([
    { node: 'n1', since: '2026-01-01T12:00:00Z' },
    { node: 'n2', since: '2025-06-01T09:59:58Z' },
  ])
  const said = (now: number) => announcedOf(both, true, true, now)?.message
  expect(said(noon + 59_999)).toBe('by layer 2 from node n1')
  expect(said(noon + 60_000)).toBe('by layer 2 from nodes n1, n2')
  expect(allNamedAt(both)).toBe(noon + 60_000)
  expect(allNamedAt(reported([{ node: 'n1' }, { node: 'n2', reason: 'announceFailed' }]))).toBeUndefined()
})

test('two owners since the same second are named in order', () => {
  const said = announcedOf(reported([{ node: 'n2' }, { node: 'n1' }]), true, true, noon)
  expect(said?.message).toBe('by layer 2 from nodes n1, n2')
})

test('a node more says nothing else, whatever the others said before', () => {
  const nodes = Array.from({ length: 20 }, (_, i) => ({ node: `n${i}` }))
  const texts = nodes.map(
    (_, i) => announcedOf(reported([], nodes.slice(0, i + 1)), true, true, noon)?.message,
  )
  expect(new Set(texts)).toEqual(new Set(['by BGP']))
})
