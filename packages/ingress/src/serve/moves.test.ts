import { endpointSliceType, ingressType, type RawObject, serviceType } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Change } from '../model/objects.ts'
import { Moves } from './moves.ts'
import { httpProxyType } from './observer.ts'

let released: string[]
/** Names of slices, with a minus where they go. */
let served: string[]
let moves: Moves

beforeEach(() => {
  vi.useFakeTimers()
  released = []
  served = []
  moves = new Moves({
    release: (changes) => released.push(...changes.map(textOf)),
    serve: (changes) =>
      served.push(...changes.map(({ key, after }) => `${after === undefined ? '-' : ''}${key}`)),
  })
})
afterEach(() => {
  moves.stop()
  vi.useRealTimers()
})

function raw(apiVersion: string, kind: string, name: string, rest: object): RawObject {
  return { apiVersion, kind, metadata: { namespace: 'ns', name }, ...rest }
}

function proxy(name: string): Change {
  const routes = [{ services: [{ name, port: 80 }] }]
  const object = raw('projectcontour.io/v1', 'HTTPProxy', 'p', { spec: { routes } })
  return { kind: 'httpProxy', key: 'ns/p', before: undefined, after: httpProxyType.project(object) }
}

function ingress(name: string): Change {
  const defaultBackend = { service: { name, port: { number: 80 } } }
  const object = raw('networking.k8s.io/v1', 'Ingress', 'i', { spec: { defaultBackend } })
  return { kind: 'ingress', key: 'ns/i', before: undefined, after: ingressType.project(object) }
}

function service(name: string, type = 'ClusterIP'): Change {
  const object = raw('v1', 'Service', name, { spec: { type, ports: [{ port: 80 }] } })
  return { kind: 'service', key: `ns/${name}`, before: undefined, after: serviceType.project(object) }
}

function slice(name: string, ready = true) {
  const object = {
    ...raw('discovery.k8s.io/v1', 'EndpointSlice', name, {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }],
      ports: [{ port: 80, protocol: 'TCP' }],
    }),
    metadata: { namespace: 'ns', name, labels: { 'kubernetes.io/service-name': name } },
  }
  return [{ key: `ns/${name}`, before: undefined, after: endpointSliceType.project(object) }]
}

function between(before: Change, after: Change): Change {
  return { ...after, before: before.after } as Change
}

function textOf({ key, before, after }: Change): string {
  return `${key} ${serviceIn(before)} → ${serviceIn(after)}`
}

function serviceIn(object: Change['after']): Key {
  return object === undefined
    ? 'nothing'
    : (/"(?:name|serviceName)":"(s\d)"/.exec(JSON.stringify(object))?.[1] ?? '')
}

const taken = (...changes: readonly Change[]): readonly string[] => moves.take(changes).map(textOf)

test('a new object, one that is deleted, and one that names the same Services do not wait', () => {
  expect(taken(proxy('s1'))).toEqual(['ns/p nothing → s1'])
  expect(taken(between(proxy('s1'), proxy('s1')))).toEqual(['ns/p s1 → s1'])
  expect(taken({ ...proxy('s1'), before: proxy('s1').after, after: undefined } as Change)).toHaveLength(1)
})

test('a move waits for the Service and its first ready endpoint, in whatever order they come', () => {
  expect(taken(between(proxy('s1'), proxy('s2')))).toEqual([])
  moves.takeSlices(slice('s2', false))
  expect(taken(service('s2'))).toHaveLength(1)
  expect(released).toEqual([])
  moves.takeSlices([{ key: 'ns/s2', before: slice('s2', false)[0]?.after, after: slice('s2')[0]?.after }])
  expect(released).toEqual(['ns/p s1 → s2'])
  vi.advanceTimersByTime(5000)
  expect(released).toHaveLength(1)
})

test('endpoints that come first: the Service goes before the move', () => {
  moves.takeSlices(slice('s2'))
  expect(taken(between(ingress('s1'), ingress('s2')))).toEqual([])
  const [first, second] = moves.take([service('s2')])
  expect([first?.kind, second && textOf(second)]).toEqual(['service', 'ns/i s1 → s2'])
})

test('all in one batch, or with a Service by name alone, nothing waits', () => {
  moves.takeSlices(slice('s2'))
  expect(taken(between(proxy('s1'), proxy('s2')), service('s2'))).toHaveLength(2)
  expect(taken(service('s3', 'ExternalName'), between(proxy('s1'), proxy('s3')))).toHaveLength(2)
})

test('of two changes in one batch the first goes, and the second waits', () => {
  const changes = [between(proxy('s1'), proxy('s1')), between(proxy('s1'), proxy('s2'))]
  expect(taken(...changes)).toEqual(['ns/p s1 → s1'])
  vi.advanceTimersByTime(1000)
  expect(released).toEqual(['ns/p s1 → s2'])
})

test('it waits a second, whatever else changes of the object, and what is told is one change', () => {
  expect(taken(between(proxy('s1'), proxy('s2')))).toEqual([])
  vi.advanceTimersByTime(600)
  expect(taken(between(proxy('s2'), proxy('s3')))).toEqual([])
  vi.advanceTimersByTime(399)
  expect(released).toEqual([])
  vi.advanceTimersByTime(1)
  expect(released).toEqual(['ns/p s1 → s3'])
})

test('a move that is taken back, or an object that goes, waits no longer', () => {
  expect(taken(between(proxy('s1'), proxy('s2')))).toEqual([])
  expect(taken(between(proxy('s2'), proxy('s1')))).toEqual(['ns/p s1 → s1'])
  expect(taken(between(proxy('s1'), proxy('s2')))).toEqual([])
  const gone = { ...proxy('s2'), before: proxy('s2').after, after: undefined } as Change
  expect(taken(gone)).toEqual(['ns/p s1 → nothing'])
  vi.advanceTimersByTime(5000)
  expect(released).toEqual([])
})

test('after a stop nothing is released', () => {
  expect(taken(between(proxy('s1'), proxy('s2')))).toEqual([])
  moves.stop()
  vi.advanceTimersByTime(5000)
  expect(released).toEqual([])
})

const gone = (change: Change): Change => ({ ...change, before: change.after, after: undefined }) as Change
const goneSlice = (name: string, ready = true) =>
  slice(name, ready).map(({ key, after }) => ({ key, before: after, after: undefined }))

test('a Service that goes is there for a second; one that is back is one change', () => {
  expect(taken(service('s1'))).toHaveLength(1)
  expect(taken(gone(service('s1')))).toEqual([])
  expect(taken(between(proxy('s1'), proxy('s1')))).toHaveLength(1)
  vi.advanceTimersByTime(999)
  expect(released).toEqual([])
  vi.advanceTimersByTime(1)
  expect(released).toHaveLength(1)
  expect(taken(gone(service('s2')))).toEqual([])
  expect(moves.take([service('s2')]).map(({ before, after }) => [before, after].includes(undefined))).toEqual(
    [false],
  )
  vi.advanceTimersByTime(5000)
  expect(released).toHaveLength(1)
})

test('the last endpoints of a Service go a second later with their slice, and at once without it', () => {
  moves.takeSlices(slice('s1'))
  moves.takeSlices(goneSlice('s1'))
  expect(served).toEqual(['ns/s1'])
  vi.advanceTimersByTime(1000)
  expect(served).toEqual(['ns/s1', '-ns/s1'])
  moves.takeSlices(slice('s1'))
  moves.takeSlices([{ key: 'ns/s1', before: slice('s1')[0]?.after, after: slice('s1', false)[0]?.after }])
  moves.takeSlices(goneSlice('s1', false))
  expect(served).toEqual(['ns/s1', '-ns/s1', 'ns/s1', 'ns/s1', '-ns/s1'])
})

test('where others are left, or come, the endpoints of a slice go at once', () => {
  const other = (name: string) =>
    slice(name).map(({ after }) => ({ key: 'ns/other', before: undefined, after }))
  moves.takeSlices([...slice('s1'), ...other('s1')])
  moves.takeSlices(goneSlice('s1'))
  expect(served).toEqual(['ns/s1', 'ns/other', '-ns/s1'])
  moves.takeSlices(other('s1').map(({ key, after }) => ({ key, before: after, after: undefined })))
  expect(served).toHaveLength(3)
  moves.takeSlices(slice('s1'))
  expect(served.slice(3)).toEqual(['ns/s1', '-ns/other'])
  vi.advanceTimersByTime(5000)
  expect(served).toHaveLength(5)
})

test('a slice that is back before its end was told is one change', () => {
  moves.takeSlices(slice('s1'))
  moves.takeSlices(goneSlice('s1'))
  moves.takeSlices(slice('s1'))
  expect(served).toEqual(['ns/s1', 'ns/s1'])
  vi.advanceTimersByTime(5000)
  expect(served).toHaveLength(2)
})

test('what is deleted looks at nothing that waits, however much that is', () => {
  let looks = 0
  const { before, after } = gone(service('s1'))
  const first = {
    get kind() {
      looks++
      return 'service' as const
    },
    key: 'ns/s1',
    before,
    after,
  } as Change
  expect(moves.take([first])).toEqual([])
  const once = looks
  moves.takeSlices(slice('s1'))
  const present = looks
  expect(taken(gone(service('s2')), gone(service('s3')))).toEqual([])
  moves.takeSlices(goneSlice('s1'))
  expect([once > 0, looks]).toEqual([true, present])
})
