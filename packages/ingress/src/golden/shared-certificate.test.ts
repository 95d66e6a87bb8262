/** The certificate of one Ingress for the rules of another: as it comes and goes, so does the secure side. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { readObjects } from './objects.ts'

const text = readFileSync(new URL('./testdata/ingress-shared-certificate.yaml', import.meta.url), 'utf8')
const { changes } = readObjects(text)

function reversed(change: Change): Change {
  return { ...change, before: change.after, after: change.before } as Change
}

test('an Ingress that only names the certificate makes the secure side of another, and takes it along', () => {
  const world = emptyWorld()
  const engine = new Engine(world, defaultEngineOptions)
  const apply = (...some: readonly Change[]) => {
    for (const change of some) take(world, change)
    engine.apply(some)
    const scopes = [...engine.snapshot().scopes.keys()].filter((name) => name.endsWith('other.example.test'))
    return scopes.toSorted()
  }
  const named = (name: string): Change => {
    const found = changes.find(({ key, kind }) => key === `web/${name}` && kind !== 'service')
    if (found === undefined) throw new Error(name)
    return found
  }
  const both = ['http/other.example.test', 'https/other.example.test']
  expect(apply(...changes.filter((change) => change !== named('certificate')))).toEqual([both[0]])
  expect(apply(named('certificate'))).toEqual(both)
  expect(apply(reversed(named('cert')))).toEqual([both[0]])
  expect(engine.verdict('ingress', 'web/certificate').problems).toMatchObject([
    { reason: 'SecretNotValid' },
    { reason: 'IgnoredField' },
  ])
  expect(apply(named('cert'))).toEqual(both)
  expect(apply(reversed(named('other')))).toEqual([])
  expect(apply(named('other'))).toEqual(both)
  expect(apply(reversed(named('certificate')))).toEqual([both[0]])
})
