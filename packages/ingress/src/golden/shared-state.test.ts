import type { EventText } from '@landfall/kube'
import type { Service } from '@landfall/kube/model'
import { createLogger, Metrics } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { defaultDagOptions, type TracingService } from '../dag/options.ts'
import { sharedProblems } from '../dag/shared-references.ts'
import { HostIndex } from '../model/host-index.ts'
import { recordingLookups } from '../model/lookups.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { configurationStatus } from '../status/configuration-status.ts'
import { noFacts, type SharedFacts, SharedState } from '../status/shared-state.ts'
import { readObjects } from './objects.ts'

const tracing: TracingService = {
  extensionService: 'web/traces',
  includePodDetail: true,
  serviceName: 'contour',
  overallSampling: 100,
  clientSampling: 100,
  randomSampling: 100,
  maxPathTagLength: 256,
  customTags: [],
}

const extension = (service: string) => `
kind: ExtensionService
metadata: {name: traces, namespace: web}
spec: {protocol: h2c, services: [{name: ${service}, port: 80}]}
---
kind: Service
metadata: {name: collector, namespace: web}
spec: {ports: [{port: 80}]}
`

function problemsWith(text: string, options: Partial<typeof defaultDagOptions> = { tracing }) {
  const world = emptyWorld()
  for (const change of readObjects(text).changes) take(world, change)
  const lookups = recordingLookups(world, new HostIndex(world, []), [])
  return sharedProblems(lookups, { ...defaultDagOptions, ...options })
}

const [missing] = problemsWith('kind: Service\nmetadata: {name: a, namespace: web}\nspec: {ports: []}\n')

test('a tracing service that is missing, or not valid, is a problem; one that is well is none', () => {
  expect(missing).toMatchObject({
    reason: 'ExtensionServiceNotFound',
    message: 'tracing.extensionService: ExtensionService "web/traces" is not found: no trace is told',
  })
  expect(problemsWith(extension('gone'))[0]?.message).toMatch(/not valid, see its status/)
  expect(problemsWith(extension('collector'))).toEqual([])
})

test('so are the other services and certificates that the configuration names', () => {
  const names = problemsWith(extension('collector'), {
    clientCertificate: 'web/none',
    fallbackCertificate: 'web/none',
    globalAuthorization: { extensionService: 'web/none', server: {} },
    rateLimitService: {
      extensionService: 'web/none',
      domain: 'a',
      failOpen: true,
      enableXRateLimitHeaders: false,
      enableResourceExhaustedCode: false,
      defaultGlobalRateLimitPolicy: undefined,
    },
  })
  expect(names.map(({ type, reason, message }) => `${message.split(':')[0]} ${type}/${reason}`)).toEqual([
    'rateLimitService.extensionService ReferenceError/ExtensionServiceNotFound',
    'globalExtAuth.extensionService ReferenceError/ExtensionServiceNotFound',
    'tls.envoy-client-certificate ReferenceError/SecretNotValid',
    'tls.fallback-certificate ReferenceError/SecretNotValid',
  ])
})

function watched() {
  const [lines, events, facts]: [string[], EventText[], SharedFacts[]] = [[], [], []]
  const meta = { namespace: 'projectcontour', name: 'envoy', uid: 'u' }
  const state = new SharedState({
    logger: createLogger({ write: (line) => lines.push(JSON.parse(line).event) }),
    metrics: new Metrics('test'),
    events: { record: (_about, event) => events.push(event) },
    service: () => ({ meta }) as Service,
    onChange: (now) => facts.push(now),
  })
  return { state, lines, events, facts }
}

test('a broken reference is told once, by log, Event and condition, and so is that it is well', () => {
  const { state, lines, events, facts } = watched()
  const problems = missing === undefined ? [] : [missing]
  state.references(problems)
  state.references(problems)
  state.references([])
  expect(lines).toEqual(['configurationReferenceBroken', 'configurationReferenceWell'])
  expect(events.map(({ reason }) => reason)).toEqual(['ExtensionServiceNotFound'])
  expect(facts).toEqual([{ ...noFacts, unresolved: problems }, noFacts])
})

test('a refused listener is told with Envoy’s words until it is taken; other resources are not told here', () => {
  const { state, events, facts } = watched()
  state.refused('listeners', 'ingress_https', 'no such filter')
  state.refused('listeners', 'ingress_https', 'no such filter')
  state.refused('clusters', 'web/a', 'no')
  state.cleared('clusters', 'web/a')
  state.cleared('listeners', 'ingress_https')
  expect(events.map(({ reason }) => reason)).toEqual(['EnvoyRefused'])
  expect(facts.map(({ refused }) => refused)).toEqual([
    [{ name: 'ingress_https', message: 'no such filter' }],
    [],
  ])
})

test('the conditions of the ContourConfiguration', () => {
  const verdict = { problems: [], needRestart: [] }
  const refused = [{ name: 'ingress_https', message: 'no such filter' }]
  const facts = { unresolved: missing === undefined ? [] : [missing], refused }
  const status = configurationStatus(undefined, { ...verdict, facts }, 1, '2026-01-01T00:00:00Z')
  expect(status.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Valid', 'True', 'Valid'],
    ['Applied', 'True', 'Applied'],
    ['ResolvedRefs', 'False', 'ExtensionServiceNotFound'],
    ['Programmed', 'False', 'EnvoyRefused'],
  ])
  expect(status.conditions?.[3]?.message).toBe('listener "ingress_https": no such filter')
  const well = configurationStatus(status, verdict, 1, '2026-01-01T00:00:01Z')
  expect(well.conditions?.every(({ status }) => status === 'True')).toBe(true)
})
