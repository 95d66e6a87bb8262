/** Everything that translation writes keeps the rules that Envoy's protos set. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { type Layout, layouts } from '../xds/layout.ts'
import { makeResource, resourceTypes } from '../xds/resource.ts'
import { readObjects, settingsOf } from './objects.ts'
import { brokenRules } from './readable.ts'

const folder = new URL('./testdata/', import.meta.url)
const inputs = readdirSync(folder).filter((file) => /^[^.]+\.yaml$/.test(file))

function problemsOf(text: string, layout: Layout): readonly string[] {
  const { changes, slices } = readObjects(text)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, { ...defaultEngineOptions, dag: settingsOf(text), layout })
  engine.apply(changes)
  engine.applySlices(slices)
  const snapshot = engine.snapshot()
  return resourceTypes.flatMap((type) =>
    [...(snapshot[type]?.values() ?? [])].flatMap((resource) => brokenRules(type, resource)),
  )
}

test.each(layouts)('every golden case, in layout %s', { timeout: 60_000 }, (layout) => {
  const problems = inputs.flatMap((input) => {
    const text = readFileSync(new URL(input, folder), 'utf8')
    return problemsOf(text, layout).map((problem) => `${input}: ${problem}`)
  })
  expect(inputs.length).toBeGreaterThan(50)
  expect(problems).toEqual([])
})

test('a message without anything in it breaks some', () => {
  expect(brokenRules('scopes', makeResource('', new Uint8Array())).length).toBeGreaterThan(0)
})
