import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { defaultEngineOptions } from '../engine/engine.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Translations } from '../serve/translations.ts'
import { resourceTypes, type Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'
import { randomWorld } from './random-objects.ts'

function start(changes: readonly Change[]) {
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const whole: Snapshot[] = []
  const foreseen: number[] = []
  const translations = new Translations(world, () => [], defaultEngineOptions, {
    whole: (_, snapshot) => whole.push(snapshot),
    change: () => {},
    foreseen: (_, { runtime, clusters }) => foreseen.push((runtime ?? clusters)?.size ?? 0),
  })
  const result = () => {
    translations.publish()
    const verdicts = changes.flatMap(({ kind, key }) =>
      kind === 'httpProxy' || kind === 'ingress' ? [translations.scoped.verdict(kind, key)] : [],
    )
    return { versions: whole.map(versionsOf), verdicts }
  }
  return { translations, foreseen, result }
}

function versionsOf(snapshot: Snapshot) {
  return resourceTypes.map((type) =>
    [...(snapshot[type] ?? [])].map(([name, { version }]) => `${type} ${name} ${version}`).toSorted(),
  )
}

test('what is there at the start comes out the same in parts, and clusters before all is done', async () => {
  let early = 0
  for (let seed = 1; seed <= 12; seed++) {
    const objects = randomWorld(seed, 30)
    const { changes } = readObjects(objects.map((object) => stringify(object)).join('---\n'))
    const [whole, parts] = [start(changes), start(changes)]
    const judged = whole.translations.apply(changes)
    const judgedInParts = new Set<string>()
    for await (const some of parts.translations.begin(changes, 3))
      for (const one of some) judgedInParts.add(one)
    expect(parts.result()).toEqual(whole.result())
    expect(judgedInParts).toEqual(judged)
    early += parts.foreseen.reduce((sum, one) => sum + one, 0)
  }
  expect(early).toBeGreaterThan(0)
})

test('the runtime is told before anything is known', () => {
  const { translations, foreseen } = start([])
  translations.prepare()
  expect(foreseen).toEqual([1])
})

test('nothing is foreseen where content is known to be refused', async () => {
  const world = randomWorld(1, 20)
  const condition = { type: 'Programmed', status: 'False', reason: 'EnvoyRefused', message: 'no' }
  const errors = [
    {
      type: 'RefusedContent',
      status: 'True',
      reason: 'EnvoyRefused',
      message: 'scopes http/a.test of content 0123456789abcdef (scoped), by Envoy 1.40.0: no',
    },
  ]
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const status = { conditions: [{ ...condition, lastTransitionTime, observedGeneration: 1, errors }] }
  const objects = world.map((one) => (one.kind === 'HTTPProxy' ? { ...one, status } : one))
  const { changes } = readObjects(objects.map((object) => stringify(object)).join('---\n'))
  const { translations, foreseen } = start(changes)
  for await (const some of translations.begin(changes, 1)) expect(some).toBeInstanceOf(Set)
  expect(foreseen).toEqual([])
})
