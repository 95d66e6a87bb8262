import { expect, test } from 'vitest'
import { adviceOnExcluded, excludedNodes, excludeLabel } from './facts/excluded-nodes.ts'
import { observe } from './reading/observe.ts'
import { listsFor, places } from './testing.ts'

test('one command names all nodes with the label, and no other', () => {
  const nodes = ['n1', 'n2', 'n3'].map((name) => ({
    kind: 'Node',
    metadata: { name, labels: name === 'n2' ? {} : { [excludeLabel]: '' } },
  }))
  const observed = observe(listsFor(nodes), places)
  const advice = excludedNodes(observed).map((one) => adviceOnExcluded(one, observed))
  expect(advice).toEqual(
    Array(2).fill(expect.stringContaining(`kubectl label nodes n1 n3 ${excludeLabel}-;`)),
  )
})
