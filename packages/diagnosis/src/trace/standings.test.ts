import { expect, test } from 'vitest'
import { readCase } from '../testing.ts'
import { withStandings } from './standings.ts'
import { fine } from './step.ts'

test('an Envoy that fetches certificates at the handshake is connected before it asks for one', () => {
  const { view } = readCase('healthy')
  const host = 'shop.example.com'
  const secret = { type: 'secrets', name: host, state: 'held', words: '' } as const
  const envoys = [
    { node: 'envoy-n1', published: true, resources: [secret] },
    { node: 'envoy-n2', published: true, resources: [] },
  ]
  const found = {
    names: [host],
    host,
    served: undefined,
    elsewhere: [],
    root: 'web/shop' as const,
    outcomes: [],
  }
  const standings = { kind: 'known', byHost: new Map([[host, envoys]]) } as const
  const steps = withStandings([fine('virtual host', host)], view, standings, { scheme: 'https', found })
  expect(steps).toEqual([
    fine('virtual host', host, [
      'Envoy envoy-n1: in force',
      'Envoy envoy-n2: has not asked for it',
      'Envoy envoy-n3: connected to no replica of contour that answers',
    ]),
  ])
})
