import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { until } from '../bgp/testing/until.ts'
import { bgpReports, layer2Reports, type ReportKind, reportName, reportObject } from './report-object.ts'
import { ServiceReports, type Surroundings, type Wanted } from './service-reports.ts'
import { ObjectsApi } from './testing.ts'

const namespace = 'metallb-system'
const web = 'default/web'
const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'speaker', uid: 'u' }
const here: Wanted = { kind: 'here', names: [], reason: '', message: '' }
const noEndpoints: Wanted = { kind: 'nowhere', reason: 'noEndpoints', message: 'none is ready' }
/** n3 is dead. */
const all = { knowsService: () => true, knowsNode: () => true, isAlive: (node: string) => node !== 'n3' }
const alone: Surroundings = { ...all, coordinates: false }
const coordinator: Surroundings = { ...all, coordinates: true }
const who = { serviceName: 'web', serviceNamespace: 'default' }
const l2 = (node: string, service = web) => reportName(layer2Reports, node, service)

vi.setConfig({ testTimeout: 60_000 })

let api: ObjectsApi
const running: ServiceReports[] = []

beforeEach(async () => {
  api = new ObjectsApi()
  await api.listen()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((reports) => reports.stop()))
  await api.server.close()
})

async function reports(node: string, kind: ReportKind = layer2Reports, calmMs = 30): Promise<ServiceReports> {
  const cluster = api.server.cluster()
  const made = new ServiceReports({
    cluster,
    logger: silentLogger(),
    namespace,
    node,
    kind,
    owner: () => Promise.resolve(owner),
    onError: () => {},
    calmMs,
    sweepMs: 20,
  })
  running.push(made)
  await made.start()
  return made
}

function said(node: string, status: object, kind: ReportKind = layer2Reports, service = web): void {
  api.put({ ...reportObject(kind, { namespace, node, service }, owner), status })
}

/** Those there are when there are so many. */
const writes = async (count: number) => {
  await until(`${count} writes`, () => api.writes.length >= count)
  return api.writes
}
const quiet = () => new Promise((resolve) => setTimeout(resolve, 150))

test('the owner says so in two writes, with labels, and the DaemonSet as its owner', async () => {
  const one = await reports('n1')
  one.set(new Map([[web, { ...here, names: ['eth0'] }]]), alone)
  expect(await writes(2)).toEqual([`POST ${l2('n1')}`, `PUT ${l2('n1')}`])
  const object = api.objects.get(l2('n1'))
  expect(object?.metadata).toMatchObject({
    namespace,
    ownerReferences: [owner],
    labels: {
      'metallb.io/node': 'n1',
      'metallb.io/service-name': 'web',
      'metallb.io/service-namespace': 'default',
    },
  })
  expect(object?.['status']).toEqual({ ...who, node: 'n1', interfaces: [{ name: 'eth0' }] })
})

test('the owner says what it does not announce, too, and that it announces', async () => {
  const one = await reports('n1')
  const message = 'not announced by layer 2: 2001:db8::1: no pool'
  one.set(new Map([[web, { ...here, message }]]), alone)
  expect(await writes(2)).toEqual([`POST ${l2('n1')}`, `PUT ${l2('n1')}`])
  expect(api.statuses()[l2('n1')]).toEqual({ ...who, node: 'n1', message })
  await until('it is read', () => one.isReported(web))
  one.set(new Map([[web, here]]), alone)
  expect(await writes(3)).toHaveLength(3)
  expect(api.statuses()[l2('n1')]).toEqual({ ...who, node: 'n1' })
})

test('a restart that changes nothing writes nothing', async () => {
  said('n1', { ...who, node: 'n1' })
  const one = await reports('n1')
  expect(one.isReported(web)).toBe(true)
  one.set(new Map([[web, here]]), alone)
  await quiet()
  expect(api.writes).toEqual([])
})

test('a new owner deletes all that a dead one said at once, and why nobody announced it', async () => {
  said('n3', { ...who, node: 'n3' })
  said('n3', { ...who, node: 'n3', serviceName: 'other' }, layer2Reports, 'default/other')
  said('', { ...who, reason: 'noEndpoints' })
  const one = await reports('n1')
  const both = [web, 'default/other'].map((service) => [service, here] as const)
  one.set(new Map(both), alone)
  await until('all is said', () => api.writes.length === 6)
  expect(api.writes.toSorted()).toEqual(
    [
      `DELETE ${l2('')}`,
      'DELETE metallb.io/node=n3',
      ...both.flatMap(([service]) => [`POST ${l2('n1', service)}`, `PUT ${l2('n1', service)}`]),
    ].toSorted(),
  )
})

/** All of them were announced by the dead one, and now are by `n1`. */
async function takesOver(): Promise<ServiceReports> {
  const services = Array.from({ length: 50 }, (_, i) => `default/s${i}`)
  for (const service of services)
    said('n3', { ...who, node: 'n3', serviceName: service.slice(8) }, layer2Reports, service)
  const one = await reports('n1')
  one.set(new Map(services.map((service) => [service, here])), alone)
  await until('all are said', () => services.every((service) => one.isReported(service)))
  return one
}
const requestsForAll = () =>
  api.server.requests.filter(({ method, query }) => method === 'DELETE' && query.has('labelSelector')).length

test('a new owner has said so before the deletion of what a dead one said is over, which may take long', async () => {
  api.refusalOfMany = 'silence'
  const one = await takesOver()
  await until('the request', () => requestsForAll() > 0)
  // Other writes are given up by then.
  await new Promise((resolve) => setTimeout(resolve, 5000))
  expect(requestsForAll()).toBe(1)
  await one.stop()
})

test('where that deletion fails it is tried anew for the node, not for each Service', async () => {
  api.refusalOfMany = 500
  await takesOver()
  await until('two tries', () => requestsForAll() > 1)
  expect(requestsForAll()).toBeLessThan(8)
  api.refusalOfMany = undefined
  await until('those of the dead are gone', () => api.objects.size === 50)
})

test('where it may not be, those of the Services that moved are deleted one by one', async () => {
  api.refusalOfMany = 403
  said('n3', { ...who, node: 'n3' })
  await takesOver()
  await until('those of the dead are gone', () => api.objects.size === 51)
  await quiet()
  expect(api.objects.has(l2('n3'))).toBe(true)
  expect(requestsForAll()).toBeLessThan(8)
})

test('what a living owner said it takes back itself', async () => {
  said('n2', { ...who, node: 'n2' })
  const one = await reports('n1')
  one.set(new Map([[web, here]]), alone)
  expect(await writes(2)).toEqual([`POST ${l2('n1')}`, `PUT ${l2('n1')}`])
  const two = await reports('n2')
  two.set(new Map(), alone)
  expect(await writes(3)).toContain(`DELETE ${l2('n2')}`)
})

test('what one said that lives still when another takes over goes once it does not, or says itself that it is silent', async () => {
  said('n2', { ...who, node: 'n2' })
  said('n4', { ...who, node: 'n4', serviceName: 'other' }, layer2Reports, 'default/other')
  const one = await reports('n1')
  const both = new Map([web, 'default/other'].map((service) => [service, here]))
  one.set(both, alone)
  expect(await writes(4)).toHaveLength(4)
  one.set(both, { ...alone, isAlive: (node) => node !== 'n2' })
  expect((await writes(5))[4]).toBe('DELETE metallb.io/node=n2')
  const fenced = { reason: 'noMajority', message: 'too few' }
  said('n4', { ...who, node: 'n4', serviceName: 'other', ...fenced }, layer2Reports, 'default/other')
  expect((await writes(6))[5]).toBe(`DELETE ${l2('n4', 'default/other')}`)
  said('n2', { ...who, node: 'n2' })
  one.set(both, { ...alone, isAlive: () => false })
  await quiet()
  expect(api.writes).toHaveLength(6)
})

test('the coordinator deletes once what a dead one said, whoever announces it now', async () => {
  said('n2', { ...who, node: 'n2' })
  said('n3', { ...who, node: 'n3' })
  said('n3', { ...who, node: 'n3', serviceName: 'other' }, layer2Reports, 'default/other')
  const [one, two] = [await reports('n1'), await reports('n4')]
  two.set(new Map(), alone)
  const dead = (...nodes: string[]) => ({ ...coordinator, isAlive: (node: string) => !nodes.includes(node) })
  one.set(new Map(), dead('n3'))
  expect(await writes(1)).toEqual(['DELETE metallb.io/node=n3'])
  said('n3', { ...who, node: 'n3' })
  one.set(new Map(), dead('n3'))
  await quiet()
  expect([...api.objects.keys()].toSorted()).toEqual([l2('n2'), l2('n3')].toSorted())
  one.set(new Map(), dead())
  one.set(new Map(), dead('n3'))
  expect(await writes(2)).toHaveLength(2)
})

test('one that was dead for a moment only keeps what it said', async () => {
  said('n2', { ...who, node: 'n2' })
  const one = await reports('n1')
  one.set(new Map(), { ...coordinator, isAlive: () => false })
  one.set(new Map(), coordinator)
  await quiet()
  expect(api.writes).toEqual([])
})

test("what MetalLB's speakers said, which are not heard, is theirs", async () => {
  const { metadata, ...rest } = reportObject(layer2Reports, { namespace, node: 'n3', service: web }, owner)
  api.put({ ...rest, metadata: { ...metadata, name: 'l2-x7k2p' }, status: { ...who, node: 'n3' } })
  const one = await reports('n1')
  one.set(new Map(), coordinator)
  await quiet()
  expect(api.writes).toEqual([])
})

test('who has lost its right says so of what it said to announce, and nothing of others', async () => {
  said('n1', { ...who, node: 'n1' })
  said('n2', { ...who, node: 'n2', serviceName: 'other' }, layer2Reports, 'default/other')
  const one = await reports('n1')
  one.lapse('noMajority', 'too few')
  expect(await writes(1)).toEqual([`PUT ${l2('n1')}`])
  await until('it is read', () => !one.isReported(web))
  expect(api.objects.get(l2('n1'))?.['status']).toEqual({
    ...who,
    node: 'n1',
    reason: 'noMajority',
    message: 'too few',
  })
  one.lapse('noMajority', 'too few')
  await quiet()
  expect(api.writes).toHaveLength(1)
  one.set(new Map([[web, here]]), alone)
  expect(await writes(2)).toEqual([`PUT ${l2('n1')}`, `PUT ${l2('n1')}`])
  expect(api.objects.get(l2('n1'))?.['status']).toEqual({ ...who, node: 'n1' })
})

test('a coordinator that has lost its right does not contradict its successor', async () => {
  const one = await reports('n1')
  one.set(new Map([[web, noEndpoints]]), coordinator)
  expect(await writes(2)).toHaveLength(2)
  one.lapse('noMajority', 'too few')
  api.remove(l2(''))
  await quiet()
  expect(api.writes).toHaveLength(2)
  one.set(new Map([[web, noEndpoints]]), coordinator)
  expect(await writes(4)).toHaveLength(4)
})

test('what another side has taken back of one that lost its right stays so', async () => {
  const one = await reports('n1')
  one.set(new Map([[web, here]]), alone)
  await writes(2)
  one.lapse('noMajority', 'too few')
  expect(await writes(3)).toHaveLength(3)
  api.remove(l2('n1'))
  await quiet()
  one.lapse('noMajority', 'too few')
  await quiet()
  expect(api.writes).toHaveLength(3)
  one.set(new Map(), alone)
  await quiet()
  expect(api.writes).toHaveLength(3)
})

test('the two sides of a partition do not delete what the other says, over and over', async () => {
  const one = await reports('n1')
  one.set(new Map([[web, here]]), alone)
  await writes(2)
  said('n3', { ...who, node: 'n3' })
  await quiet()
  expect(api.writes).toHaveLength(2)
  api.remove(l2('n1'))
  await writes(4)
  await quiet()
  expect([...api.objects.keys()].toSorted()).toEqual([l2('n1'), l2('n3')].toSorted())
})

test('each node says for itself which peers it announces to', async () => {
  const name = (node: string) => reportName(bgpReports, node, web)
  said('n2', { ...who, node: 'n2', peers: ['a'] }, bgpReports)
  said('', { ...who, reason: 'noEndpoints' }, bgpReports)
  const one = await reports('n1', bgpReports)
  one.set(new Map([[web, { ...here, names: ['a', 'b'] }]]), alone)
  expect(await writes(3)).toEqual([`DELETE ${name('')}`, `POST ${name('n1')}`, `PUT ${name('n1')}`])
  expect(api.statuses()[name('n1')]).toEqual({ ...who, node: 'n1', peers: ['a', 'b'] })
})

test('who loses a Service takes its report back, but not for a moment', async () => {
  said('n1', { ...who, node: 'n1' })
  const one = await reports('n1')
  one.set(new Map([[web, here]]), alone)
  one.set(new Map(), alone)
  one.set(new Map([[web, here]]), alone)
  await quiet()
  expect(api.writes).toEqual([])
  one.set(new Map(), alone)
  expect(await writes(1)).toEqual([`DELETE ${l2('n1')}`])
})

test('the coordinator alone says why no node announces, and takes away what says otherwise', async () => {
  said('n3', { ...who, node: 'n3' })
  const one = await reports('n1')
  one.set(new Map([[web, noEndpoints]]), alone)
  await quiet()
  expect(api.writes).toEqual([])
  one.set(new Map([[web, noEndpoints]]), coordinator)
  expect(await writes(3)).toEqual(['DELETE metallb.io/node=n3', `POST ${l2('')}`, `PUT ${l2('')}`])
  expect(api.statuses()[l2('')]).toEqual({ ...who, reason: 'noEndpoints', message: 'none is ready' })
  api.writes = []
  const next = await reports('n2')
  next.set(new Map([[web, noEndpoints]]), coordinator)
  await quiet()
  expect(api.writes).toEqual([])
  one.set(new Map(), coordinator)
  expect(await writes(1)).toEqual([`DELETE ${l2('')}`])
})

test('what a dead one says again, a moment after all of it was deleted, is deleted, too', async () => {
  said('n3', { ...who, node: 'n3' })
  const one = await reports('n1', layer2Reports, 1000)
  one.set(new Map([[web, noEndpoints]]), coordinator)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const both = [web, 'default/other'].map((service) => [service, noEndpoints] as const)
  one.set(new Map(both), coordinator)
  const deletions = () => api.writes.filter((write) => write === 'DELETE metallb.io/node=n3').length
  await until('the first deletion', () => deletions() === 1)
  said('n3', { ...who, node: 'n3', serviceName: 'other' }, layer2Reports, 'default/other')
  await until('the second', () => deletions() > 1)
  expect([...api.objects.keys()]).not.toContain(l2('n3', 'default/other'))
})

test('what is deleted by others is said again', async () => {
  said('n1', { ...who, node: 'n1' })
  const one = await reports('n1')
  one.set(new Map([[web, here]]), alone)
  await quiet()
  api.remove(l2('n1'))
  expect(await writes(2)).toEqual([`POST ${l2('n1')}`, `PUT ${l2('n1')}`])
})

test('the coordinator deletes what is said of Services that are gone', async () => {
  said('n2', { ...who, node: 'n2' })
  said('n2', { ...who, node: 'n2', serviceName: 'old' }, layer2Reports, 'default/old')
  const one = await reports('n1')
  one.set(new Map(), { ...coordinator, knowsService: (service) => service === web })
  expect(await writes(1)).toEqual([`DELETE ${l2('n2', 'default/old')}`])
})

test('a definition without room for a reason gets no report of silence', async () => {
  api.pruned = ['reason', 'message']
  const one = await reports('n1')
  one.set(new Map([[web, noEndpoints]]), coordinator)
  expect(await writes(3)).toEqual([`POST ${l2('')}`, `PUT ${l2('')}`, `DELETE ${l2('')}`])
  await quiet()
  expect(api.objects.size).toBe(0)
  expect(api.writes).toHaveLength(3)
})

test('without the right to write it is tried once, not for each Service', async () => {
  api.refusal = 403
  const one = await reports('n1')
  const posts = () => api.server.requests.filter(({ method }) => method === 'POST').length
  one.set(new Map(Array.from({ length: 50 }, (_, i) => [`default/s${i}`, here])), alone)
  await quiet()
  expect(posts()).toBeLessThan(10)
  api.refusal = undefined
  await until('all of them', () => api.objects.size === 50, 30_000)
})

test('told of some Services alone, it keeps what it says of the others', async () => {
  const one = await reports('n1')
  one.set(new Map([[web, here]]), alone)
  await writes(2)
  one.set(new Map([['default/mail', here]]), alone, new Set(['default/mail']))
  await writes(4)
  expect(Object.keys(api.statuses()).toSorted()).toEqual([l2('n1'), l2('n1', 'default/mail')].toSorted())
  one.set(new Map(), alone, new Set(['default/mail']))
  await until('its end', () => api.objects.size === 1)
  await quiet()
  expect(Object.keys(api.statuses())).toEqual([l2('n1')])
})
