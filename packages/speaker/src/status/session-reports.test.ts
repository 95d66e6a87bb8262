import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { until } from '../bgp/testing/until.ts'
import { type Session, sessionName, sessionObject, sessionText } from './session-object.ts'
import { SessionReports, type SessionTimes } from './session-reports.ts'
import { ObjectsApi } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const namespace = 'metallb-system'
const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u' }
const quick: SessionTimes = {
  calmMs: 20,
  startMs: 40,
  changeMs: 40,
  detailMs: 60_000,
  sweepMs: 20,
  silenceMs: 200,
}
const name = sessionName('n1', 'tor')

let api: ObjectsApi
const running: SessionReports[] = []

beforeEach(async () => {
  api = new ObjectsApi()
  await api.listen()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((reports) => reports.stop()))
  await api.server.close()
})

function reports(times: Partial<SessionTimes> = {}, server = api.server): SessionReports {
  const made = new SessionReports({
    cluster: server.cluster(),
    logger: silentLogger(),
    namespace,
    node: 'n1',
    owner: () => owner,
    onError: () => {},
    times: { ...quick, ...times },
  })
  running.push(made)
  made.start()
  return made
}

function session(fields: Partial<Session> = {}): Session {
  return {
    name: 'tor',
    state: 'established',
    address: '192.0.2.1:179',
    vrf: undefined,
    passive: false,
    lastEnding: undefined,
    held: false,
    since: Date.UTC(2026, 0, 1),
    announced: 2,
    pending: 0,
    unsent: [],
    bfd: undefined,
    fastBfd: undefined,
    ...fields,
  }
}

const refused = { reason: 'connectFailed', message: 'connect ECONNREFUSED 192.0.2.1:179' }
const down = session({ state: 'connect', lastEnding: refused, since: Date.UTC(2026, 0, 2), announced: 0 })
const status = () => api.objects.get(name)?.['status']
const quiet = () => new Promise((resolve) => setTimeout(resolve, 200))

test('what is said of a session that is up, and of one that is not', () => {
  expect(sessionText(session({ vrf: 'red', bfd: { state: 'up', obstacle: undefined } }))).toEqual({
    address: '192.0.2.1:179',
    vrf: 'red',
    bgpStatus: 'Established',
    bfdStatus: 'up',
    since: '2026-01-01T00:00:00Z',
    prefixes: 2,
  })
  expect(sessionText(down)).toMatchObject({ bgpStatus: 'Down', prefixes: 0, ...refused })
  expect(sessionText(session({ state: 'active', passive: true }))).toMatchObject({ reason: 'waitingForPeer' })
  expect(sessionText(session({ state: 'active', passive: 'notListening' }))).toMatchObject({
    reason: 'notListening',
    message: expect.stringContaining('--bgp-listen'),
  })
  expect(sessionText(session({ state: 'idle', held: true, lastEnding: refused }))).toMatchObject({
    reason: 'bfdDown',
    message: expect.stringContaining('BFD'),
  })
  expect(sessionText(session({ lastEnding: refused }))).toMatchObject({
    bgpStatus: 'Established',
    lastError: 'connectFailed: connect ECONNREFUSED 192.0.2.1:179',
  })
  expect(sessionText(down)).not.toHaveProperty('lastError')
  expect(sessionText(session({ fastBfd: 'too quick' }))).toMatchObject({
    reason: 'fastBFD',
    message: 'too quick',
  })
  expect(sessionText(session({ bfd: { state: 'down', obstacle: 'portInUse' } }))).toMatchObject({
    bgpStatus: 'Established',
    bfdStatus: 'unavailable',
    reason: 'portInUse',
  })
})

test('a session is said in two writes, with the Node as its owner, and said again when it goes down', async () => {
  const made = reports()
  made.set([session()])
  await until('the status', () => status() !== undefined)
  expect(api.writes).toEqual([`POST ${name}`, `PUT ${name}`])
  expect(api.objects.get(name)?.metadata).toMatchObject({
    labels: { 'metallb.io/node': 'n1' },
    ownerReferences: [owner],
  })
  expect(status()).toMatchObject({ node: 'n1', peer: 'tor', bgpStatus: 'Established' })
  made.set([down])
  await until('the end', () => api.writes.length === 3)
  expect(status()).toMatchObject({ bgpStatus: 'Down', since: '2026-01-02T00:00:00Z', ...refused })
})

test('counters and other errors of other attempts are not written one by one', async () => {
  // As long as the status is not seen by the watch, each is news.
  const made = reports({ changeMs: 60_000 })
  made.set([session()])
  await until('the status', () => status() !== undefined)
  for (let announced = 3; announced < 20; announced++) made.set([session({ announced })])
  await quiet()
  expect(api.writes).toHaveLength(2)
})

test('since when it is down outlives the speaker', async () => {
  api.put({
    ...sessionObject({ namespace, node: 'n1', peer: 'tor' }, owner),
    status: { node: 'n1', peer: 'tor', bgpStatus: 'Down', since: '2025-12-31T00:00:00Z' },
  })
  reports().set([down])
  await until('a write', () => api.writes.length === 1)
  expect(status()).toMatchObject({ since: '2025-12-31T00:00:00Z', ...refused })
})

test('a peer that is gone has no session', async () => {
  const made = reports()
  made.set([session()])
  await until('the status', () => status() !== undefined)
  made.set([])
  await until('its end', () => api.objects.size === 0)
  expect(api.writes.at(-1)).toBe(`DELETE ${name}`)
})

test('who speaks for all takes away what a dead speaker said, and nobody else does', async () => {
  const left = sessionObject({ namespace, node: 'n9', peer: 'tor' }, owner)
  api.put({ ...left, status: { node: 'n9', peer: 'tor', bgpStatus: 'Established' } })
  // The API of this test knows no labels, so what is here counts as wanted or not: by its own speaker only.
  const made = reports({ calmMs: 60_000, startMs: 60_000 })
  made.set([])
  made.coordinate(new Set(['n9']))
  await quiet()
  expect(api.objects.size).toBe(1)
  made.coordinate(undefined)
  await quiet()
  expect(api.objects.size).toBe(1)
  made.coordinate(new Set(['n1']))
  await until('its end', () => api.objects.size === 0)
})

test('of a node whose speaker is not heard nothing is known', async () => {
  const other = sessionObject({ namespace, node: 'n9', peer: 'tor' }, owner)
  const said = { node: 'n9', peer: 'tor', bgpStatus: 'Established', prefixes: 7 }
  api.put({ ...other, status: said })
  const of9 = () => api.objects.get(sessionName('n9', 'tor'))?.['status']
  // As above: nothing is taken away by the speaker of n1.
  const made = reports({ calmMs: 60_000, startMs: 60_000, sweepMs: 60_000 })
  made.set([])
  made.coordinate(undefined)
  await quiet()
  expect(of9()).toEqual(said)
  made.coordinate(new Set(['n1']))
  await until('the mark', () => api.writes.length > 0)
  expect(of9()).toEqual({
    ...said,
    bgpStatus: 'Unknown',
    reason: 'speakerSilent',
    message: 'the speaker on node n9 is not heard; it said last: Established',
  })
})

test('what another said of its session is put right', async () => {
  const made = reports()
  made.set([session()])
  await until('the status', () => status() !== undefined)
  const own = sessionObject({ namespace, node: 'n1', peer: 'tor' }, owner)
  api.put({ ...own, status: { node: 'n1', peer: 'tor', bgpStatus: 'Unknown', reason: 'speakerSilent' } })
  await until('the truth', () => api.writes.length === 3)
  expect(status()).toMatchObject({ bgpStatus: 'Established' })
  expect(status()).not.toHaveProperty('reason')
})

test('where it may not be written it is asked for ever more seldom', async () => {
  api.refusal = 403
  const made = reports()
  made.set([session()])
  await quiet()
  expect(api.objects.size).toBe(0)
  api.refusal = undefined
  await until('the status', () => status() !== undefined)
})

test('where the kind may not be read nothing is written', async () => {
  const asked: string[] = []
  const server = new FakeApiServer(({ method }) => {
    asked.push(method)
    return { status: 403, body: statusOf(403, 'forbidden') }
  })
  await server.listen()
  try {
    const made = reports({}, server)
    made.set([session()])
    await until('the kind to count as absent', () => asked.length >= 4)
    await quiet()
    expect(new Set(asked)).toEqual(new Set(['GET']))
    await made.stop()
  } finally {
    await server.close()
  }
})
