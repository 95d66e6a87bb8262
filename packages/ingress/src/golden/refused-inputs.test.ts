/** Inputs that the API server takes and Envoy would refuse: each is told on the one object, and changes nothing else. */
import { projectcontourResources, specProblems } from '@landfall/api/crd'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DagOptions, defaultDagOptions } from '../dag/options.ts'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { layouts } from '../xds/layout.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { type ResourceMap, type ResourceType, resourceTypes, type Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'
import { brokenRules, rewritten } from './readable.ts'
import type { RefusedInput } from './refused-input.ts'
import { refusedInputs } from './refused-inputs.ts'
import { pairOf, proxyObject, secretObject, serviceObjects, settled, translateFor } from './traffic.ts'

/** What is there in any case: Services, a certificate, another host, and what limits and asks. */
const common =
  serviceObjects('shop', [{ http: 9 }]) +
  serviceObjects('other', [{ http: 9 }]) +
  secretObject('pair', { 'tls.crt': pairOf('server').cert, 'tls.key': pairOf('server').key }) +
  proxyObject('other', 'routes: [{services: [{name: other, port: 80}]}]') +
  '---\n{kind: ExtensionService, metadata: {name: limits, namespace: web}, spec: {services: [{name: other, port: 80}], protocol: h2c}}\n'

const dag: DagOptions = {
  ...defaultDagOptions,
  rateLimitService: {
    extensionService: 'web/limits',
    domain: 'a',
    failOpen: true,
    enableXRateLimitHeaders: false,
    enableResourceExhaustedCode: false,
    defaultGlobalRateLimitPolicy: undefined,
  },
  // Every listener wants it, so that an ExtensionService that nobody names is served too.
  tracing: {
    extensionService: 'web/bad',
    includePodDetail: false,
    serviceName: 'a',
    overallSampling: 100,
    clientSampling: 100,
    randomSampling: 100,
    maxPathTagLength: 256,
    customTags: [],
  },
}

function textOf(objects: readonly object[]): string {
  return common + objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('')
}

function engineOf(text: string, layout: (typeof layouts)[number]): Engine {
  const { changes, slices } = readObjects(text)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, { ...defaultEngineOptions, dag, layout })
  engine.apply(changes)
  engine.applySlices(slices)
  return engine
}

function bytesOf(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...(snapshot[type]?.values() ?? [])].map(({ name, version }) => `${type} ${name} ${version}`).toSorted(),
  )
}

/** What an API server with our definitions would not take. */
function apiProblems(object: object): readonly string[] {
  const { kind, spec } = object as { readonly kind: string; readonly spec?: unknown }
  const resource = projectcontourResources.find((one) => one.kind === kind)
  return resource === undefined ? [] : [...(specProblems(resource, resource.version, spec) ?? [])].map(String)
}

test('there are thirty at least, each with a name of its own', () => {
  const names = new Set(refusedInputs.map(({ name }) => name))
  expect(names.size).toBe(refusedInputs.length)
  expect(names.size).toBeGreaterThanOrEqual(30)
})

describe.each(layouts)('in layout %s', (layout) => {
  const without = bytesOf(engineOf(textOf([]), layout).snapshot())

  test.each(refusedInputs)('$name', (input) => {
    const { objects, good, bad, problem } = input
    const kind = input.kind ?? 'httpProxy'
    for (const object of [...objects(good), ...objects(bad)]) expect(apiProblems(object)).toEqual([])
    const accepted = engineOf(textOf(objects(good)), layout)
    expect(errorsOf(accepted, kind)).toEqual([])
    const refusing = engineOf(textOf(objects(bad)), layout)
    expect(errorsOf(refusing, kind)).toContain(problem.join('/'))
    expect(refusing.verdict('httpProxy', 'web/other').problems).toEqual([])
    const snapshot = refusing.snapshot()
    const broken = resourceTypes.flatMap((type) =>
      [...(snapshot[type]?.values() ?? [])].flatMap((resource) => brokenRules(type, resource)),
    )
    expect(broken).toEqual([])
    expect(bytesOf(snapshot)).toEqual(without)
  })
})

function errorsOf(engine: Engine, kind: 'httpProxy' | 'extensionService' | 'ingress'): readonly string[] {
  return engine
    .verdict(kind, 'web/bad')
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ type, reason }) => `${type}/${reason}`)
}

/** As it would be if the bad value went where the good one does. */
function unchecked(snapshot: Snapshot, { good, bad, written }: RefusedInput): Snapshot {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const pairs = written ?? [[inJson(good), inJson(bad)]]
  const replace = (json: string) => pairs.reduce((text, [from, to]) => text.replaceAll(from, to), json)
  const change = (type: ResourceType, resources: ResourceMap): ResourceMap =>
    new Map([...resources].map(([name, resource]) => [name, rewritten(type, resource, replace)]))
  return {
    ...snapshot,
    clusters: change('clusters', snapshot.clusters),
    endpoints: change('endpoints', snapshot.endpoints),
    secrets: change('secrets', snapshot.secrets),
    listeners: change('listeners', snapshot.listeners),
    scopes: change('scopes', snapshot.scopes),
  }
}

describe.skipIf(withoutEnvoy())('a real Envoy', () => {
  const stand = new Stand()
  beforeAll(async () => {
    await stand.open()
    await stand.startEnvoy()
  }, 60_000)
  afterAll(() => stand.close())

  test.each(refusedInputs)('refuses $name', async (input) => {
    stand.refused.length = 0
    const taken = translateFor(stand, textOf(input.objects(input.good)), 'scoped', { dag })
    stand.publishEach(() => taken)
    await eventually('the good one is settled', () => settled(stand))
    expect(stand.refused).toEqual([])
    stand.publishEach(() => unchecked(taken, input))
    await eventually('it is refused', () => Promise.resolve(stand.refused.length > 0 || undefined))
  })
})
