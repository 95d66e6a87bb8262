import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import type { RefusedIn } from '../engine/refusals.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Translations } from '../serve/translations.ts'
import { refusedCondition } from '../status/programmed-condition.ts'
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

const refusedCluster = {
  layout: 'scoped',
  type: 'clusters',
  name: 'web/shop/80/0123456789',
  version: '0123456789abcdef',
  build: '1.40.0',
  message: 'no',
} as const

test('no cluster is foreseen where one is known to be refused, as one of any other type is no reason', async () => {
  const world = randomWorld(1, 20)
  const foresees = async (told: RefusedIn, ofIngress: boolean) => {
    const status = ofIngress
      ? {}
      : { conditions: [refusedCondition(undefined, 'a.test', [told], 1, '2026-01-01T00:00:00Z')] }
    const objects = world.map((one) => (one.kind === 'HTTPProxy' ? { ...one, status } : one))
    const { changes } = readObjects(objects.map((object) => stringify(object)).join('---\n'))
    const { translations, foreseen } = start(changes)
    const ingress = changes.find(({ kind }) => kind === 'ingress')
    if (ingress?.after === undefined) throw new Error('no Ingress')
    const { uid } = ingress.after.meta
    if (ofIngress) translations.remember([{ ...told, ingress: ingress.key, uid }])
    for await (const some of translations.begin(changes, 1)) expect(some).toBeInstanceOf(Set)
    return foreseen.length > 0
  }
  for (const ofIngress of [false, true]) {
    expect(await foresees(refusedCluster, ofIngress)).toBe(false)
    expect(await foresees({ ...refusedCluster, type: 'scopes' }, ofIngress)).toBe(true)
  }
})
