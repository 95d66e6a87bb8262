import type { HTTPProxy } from '@landfall/api'
import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { readObjects } from './objects.ts'

/** One root, and so many more that each include all others. */
function everyoneIncludesEveryone(count: number): string {
  const children = Array.from({ length: count }, (_, index) => `child-${index}`)
  return ['root', ...children]
    .map((name) => {
      const spec: Partial<HTTPProxy['spec']> = {
        ...(name === 'root' ? { virtualhost: { fqdn: 'shop.test' } } : {}),
        includes: children.filter((other) => other !== name).map((other) => ({ name: other })),
      }
      const metadata = { namespace: 'web', name, creationTimestamp: '2026-01-01T00:00:00Z' }
      return JSON.stringify({ kind: 'HTTPProxy', metadata, spec })
    })
    .join('\n---\n')
}

test('a few objects that include each other say a circle once for each include', () => {
  const { changes } = readObjects(everyoneIncludesEveryone(9))
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world)
  engine.apply(changes)
  const { problems } = engine.verdict('httpProxy', 'web/root')
  expect(problems.map(({ reason }) => reason)).toContain('TooManyIncludes')
  const child = engine.verdict('httpProxy', 'web/child-3').problems
  expect(child.filter(({ reason }) => reason === 'IncludeCreatesCycle').length).toBeLessThanOrEqual(8)
})
