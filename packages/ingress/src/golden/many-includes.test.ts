import { type HTTPProxy, httpProxy } from '@landfall/api'
import { customType } from '@landfall/kube'
import { RE2JS } from 're2js'
import { expect, test, vi } from 'vitest'
import { defaultDagOptions } from '../dag/options.ts'
import { translateHost } from '../dag/translate.ts'
import { HostIndex } from '../model/host-index.ts'
import { recordingLookups } from '../model/lookups.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'

type Spec = Partial<HTTPProxy['spec']>

const proxyType = customType<HTTPProxy>(httpProxy)
const virtualhost = { fqdn: 'shop.test' }

function serve(specs: Readonly<Record<string, Spec>>) {
  const changes = Object.entries(specs).map(([name, spec]): Change => {
    const after = proxyType.project({ metadata: { namespace: 'web', name }, spec })
    return { kind: 'httpProxy', key: `web/${name}`, before: undefined, after }
  })
  const world = emptyWorld()
  const hosts = new HostIndex(world, [])
  for (const change of changes) {
    take(world, change)
    hosts.apply(change)
  }
  const lookups = recordingLookups(world, hosts, [])
  const { virtualHost, outcomes } = translateHost(virtualhost.fqdn, lookups, defaultDagOptions)
  const told = new Map(outcomes.map(({ key, problems }) => [key.replace('web/', ''), problems]))
  return {
    paths: (virtualHost?.plain ?? []).map(({ match }) => match.path.value),
    told,
    reasons: (name: string) => new Set((told.get(name) ?? []).map(({ reason }) => reason)),
  }
}

function answer(prefix: string) {
  return { conditions: [{ prefix }], directResponsePolicy: { statusCode: 200 } }
}

function answers(count: number) {
  return Array.from({ length: count }, (_, index) => answer(`/${index}`))
}

function include(name: string, ...prefixes: readonly string[]) {
  return prefixes.map((prefix) => ({ name, conditions: [{ prefix }] }))
}

/** Each object includes the next one twice; the last has the routes. */
function doubling(levels: number, routes: number): Record<string, Spec> {
  const above = Array.from({ length: levels }, (_, index) => [
    `tenant-${index}`,
    { includes: include(`tenant-${index + 1}`, '/a', '/b') },
  ])
  return { ...Object.fromEntries(above), [`tenant-${levels}`]: { routes: answers(routes) } }
}

const tooMany = new Set(['TooManyIncludes'])

test('who includes too much is told and loses a part, and the rest of the host is served', () => {
  const specs: Record<string, Spec> = {
    root: {
      virtualhost,
      includes: [...include('tenant-0', '/t'), ...include('other', '/other')],
      routes: [answer('/good')],
    },
    other: { includes: include('shared', '/v1', '/v2') },
    shared: { routes: answers(2) },
    ...doubling(13, 1),
  }
  const { paths, told, reasons } = serve(specs)
  expect(paths).toContain('/good')
  expect(paths.filter((path) => path.startsWith('/other/')).toSorted()).toEqual([
    '/other/v1/0',
    '/other/v1/1',
    '/other/v2/0',
    '/other/v2/1',
  ])
  expect(paths.filter((path) => path.startsWith('/t/')).length).toBeGreaterThan(500)
  expect(['root', 'other', 'shared'].map((name) => told.get(name))).toEqual([[], [], []])
  expect(reasons('tenant-0')).toEqual(tooMany)
  const reversed = serve(Object.fromEntries(Object.entries(specs).toReversed()))
  expect(reversed.paths).toEqual(paths)
  expect(reversed.told).toEqual(told)
})

test.each([4, 11, 30])('1,000 routes included along 2^%i ways are some thousands', (levels) => {
  const { paths, reasons } = serve({
    root: { virtualhost, includes: include('tenant-0', '/t') },
    ...doubling(levels, 1000),
  })
  expect(paths.length).toBeGreaterThanOrEqual(2000)
  expect(paths.length).toBeLessThanOrEqual(6000)
  expect(reasons(`tenant-${levels - 1}`)).toEqual(tooMany)
})

test('includes of the root that each multiply a little are bounded together', () => {
  const places = Array.from({ length: 200 }, (_, index) => `/${index}`)
  const { paths, reasons } = serve({
    root: { virtualhost, includes: include('child', ...places), routes: [answer('/good')] },
    child: { routes: answers(1000) },
  })
  expect(paths).toContain('/good')
  expect(paths.length).toBeGreaterThan(15_000)
  expect(paths.length).toBeLessThan(25_000)
  expect(reasons('root')).toEqual(tooMany)
})

test('objects that are each included once are served however many they are', () => {
  const names = Array.from({ length: 6000 }, (_, index) => `child-${index}`)
  const { paths, told } = serve({
    root: { virtualhost, includes: names.flatMap((name) => include(name, `/${name}`)) },
    ...Object.fromEntries(names.map((name) => [name, { routes: answers(5) }])),
  })
  expect(paths.length).toBe(30_000)
  expect([...told.values()].flat()).toEqual([])
})

test('what thousands include once each is served below all of them', () => {
  const names = Array.from({ length: 5000 }, (_, index) => `child-${index}`)
  const { paths, told } = serve({
    root: { virtualhost, includes: names.flatMap((name) => include(name, `/${name}`)) },
    shared: { routes: answers(3) },
    ...Object.fromEntries(
      names.map((name) => [name, { routes: answers(2), includes: include('shared', '/shared') }]),
    ),
  })
  expect(paths.length).toBe(25_000)
  expect([...told.values()].flat()).toEqual([])
})

test('large regular expressions of many objects are compiled so many times and no more', () => {
  const compile = vi.spyOn(RE2JS, 'compile').mockReturnValue(RE2JS.compile('x'))
  const names = Array.from({ length: 100 }, (_, index) => `child-${index}`)
  const regexes = (name: string) => [0, 1, 2].map((one) => `/${name}-${one}${'x{1000}'.repeat(60)}`)
  const { told, reasons } = serve({
    root: { virtualhost, includes: names.map((name) => ({ name })), routes: [answer('/good')] },
    ...Object.fromEntries(
      names.map((name) => [
        name,
        { routes: regexes(name).map((regex) => ({ ...answer('/'), conditions: [{ regex }] })) },
      ]),
    ),
  })
  expect(told.get('child-0')).toEqual([])
  expect(reasons('root')).toEqual(tooMany)
  expect(compile.mock.calls.length).toBeLessThan(40)
  compile.mockRestore()
})

test('a chain of includes ends', () => {
  const links = Array.from({ length: 20_000 }, (_, index) => [
    `link-${index}`,
    { includes: include(`link-${index + 1}`, '/x'), routes: [answer('/y')] },
  ])
  const { paths, reasons } = serve({
    root: { virtualhost, includes: include('link-0', '/t') },
    ...Object.fromEntries(links),
  })
  expect(paths.length).toBe(100)
  expect(reasons('link-99')).toEqual(tooMany)
})

test('a few objects that include each other say a circle once for each include', () => {
  const names = Array.from({ length: 9 }, (_, index) => `child-${index}`)
  const others = (name: string) => names.filter((other) => other !== name).map((other) => ({ name: other }))
  const { told, reasons } = serve({
    root: { virtualhost, includes: others('root') },
    ...Object.fromEntries(names.map((name) => [name, { includes: others(name) }])),
  })
  expect(names.filter((name) => reasons(name).has('TooManyIncludes')).length).toBeGreaterThan(0)
  const circles = (told.get('child-3') ?? []).filter(({ reason }) => reason === 'IncludeCreatesCycle')
  expect(circles.length).toBeLessThanOrEqual(8)
})
