/**
 * Objects by chance: nothing throws, each is served or told why not, no order of coming matters, and Envoy has nothing
 * against the result.
 */
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DagOptions, defaultDagOptions } from '../dag/options.ts'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { type Layout, layouts } from '../xds/layout.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { resourceTypes, type Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'
import { randomWorld } from './random-objects.ts'
import { randomOf } from './random-values.ts'
import { brokenRules } from './readable.ts'
import { rowsBelow } from './readme.ts'
import { silentParts } from './silent-parts.ts'
import { settled, translateFor } from './traffic.ts'

const worlds = 50
const objects = 20
const dag: DagOptions = {
  ...defaultDagOptions,
  fallbackCertificate: 'web/pair',
  rateLimitService: {
    extensionService: 'web/one',
    domain: 'shop',
    failOpen: true,
    enableXRateLimitHeaders: false,
    enableResourceExhaustedCode: false,
    defaultGlobalRateLimitPolicy: undefined,
  },
}

function textOf(seed: number): string {
  return randomWorld(seed, objects)
    .map((object) => `---\n${JSON.stringify(object)}\n`)
    .join('')
}

function engineOf(changes: readonly Change[], layout: Layout): Engine {
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, { ...defaultEngineOptions, dag, layout })
  for (const change of changes) engine.apply([change])
  return engine
}

/** All bytes, by type and name. */
function bytesOf(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...(snapshot[type]?.values() ?? [])].map(({ name, version }) => `${type} ${name} ${version}`).toSorted(),
  )
}

function verdictsOf(engine: Engine, changes: readonly Change[]) {
  return changes.flatMap(({ kind, key }) =>
    kind === 'httpProxy' || kind === 'ingress' || kind === 'extensionService'
      ? [{ kind, key, ...engine.verdict(kind, key) }]
      : [],
  )
}

function stateOf({ kind, reached, problems }: ReturnType<typeof verdictsOf>[number]): string {
  const refused = problems.some(({ severity }) => severity === 'error')
  return `${kind} ${reached ? (refused ? 'refused' : 'served') : 'not reached'}`
}

/** Of all of them there are many among the objects, or what they should show would not be tried. */
const mustBeSeen = [
  'httpProxy served',
  'httpProxy refused',
  'httpProxy not reached',
  'ingress served',
  'ingress refused',
  'extensionService served',
  'extensionService refused',
  'IncludeError/IncludeCreatesCycle',
  'IncludeError/IncludeNotFound',
  'IncludeError/RootIncludesRoot',
  'IncludeError/DuplicateMatchConditions',
  'ServiceError/ServiceUnresolvedReference',
  'SpecError/NothingDefined',
  'TLSError/DelegationNotPermitted',
  'TLSError/SecretNotValid',
  'TLSError/TLSConfigNotValid',
  'VirtualHostError/DuplicateVhost',
]

const known = new Set(rowsBelow('Reasons').map(([type, reason]) => `${type}/${reason}`))

test('1,000 objects: a reason for each that is not served, no broken rule, and no matter of order', {
  timeout: 120_000,
}, () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...layouts), (seed, layout) => {
      const { changes } = readObjects(textOf(seed))
      const engine = engineOf(changes, layout)
      const snapshot = engine.snapshot()
      const broken = resourceTypes.flatMap((type) =>
        [...(snapshot[type]?.values() ?? [])].flatMap((resource) => brokenRules(type, resource)),
      )
      expect(broken).toEqual([])
      expect(silentParts(engine, changes)).toEqual([])
      const verdicts = verdictsOf(engine, changes)
      const said = verdicts.flatMap(({ problems }) => problems)
      const reasons = said.map(({ type, reason }) => `${type}/${reason}`)
      expect(reasons.filter((one) => !known.has(one))).toEqual([])
      expect(said.filter(({ message }) => message === '')).toEqual([])
      for (const what of [...reasons, ...verdicts.map(stateOf)]) seen.set(what, (seen.get(what) ?? 0) + 1)
      const random = randomOf(seed + 1)
      const shuffled = changes.map((change) => ({ change, at: random() })).toSorted((a, b) => a.at - b.at)
      const other = engineOf(
        shuffled.map(({ change }) => change),
        layout,
      )
      expect(bytesOf(other.snapshot())).toEqual(bytesOf(snapshot))
      expect(verdictsOf(other, changes)).toEqual(verdicts)
    }),
    { numRuns: worlds },
  )
  for (const what of mustBeSeen) expect({ what, times: seen.get(what) ?? 0 }).not.toEqual({ what, times: 0 })
})

test('what is not served shows where nothing is said of it', () => {
  const { changes } = readObjects(textOf(1))
  const blind = new Engine(emptyWorld(), defaultEngineOptions)
  const silent = silentParts(blind, changes).join('\n')
  expect(silent).toMatch(/no route of HTTPProxy/)
  expect(silent).toMatch(/Ingress .* is silent/)
})

const ways: readonly Way[] = ['delta', 'streams']

describe.skipIf(withoutEnvoy()).each(ways)('a real Envoy by way of %s', (way) => {
  const stand = new Stand()
  beforeAll(async () => {
    await stand.open()
    await stand.startEnvoy(way)
  }, 60_000)
  afterAll(() => stand.close())

  test('takes what comes of 1,000 objects', { timeout: 180_000 }, async () => {
    for (let seed = 1; seed <= worlds; seed += 1) {
      const text = textOf(seed)
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
      await eventually(`${seed} is settled`, () => settled(stand))
      expect({ seed, refused: stand.refused }).toEqual({ seed, refused: [] })
    }
    expect(readFileSync(stand.envoy?.logFile ?? '', 'utf8')).not.toContain('rejected')
  })
})
