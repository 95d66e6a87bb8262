import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch } from './match.ts'
import { compareMatches, orderRoutes } from './route-order.ts'
import type { Route } from './virtual-host.ts'

function match(kind: PathMatch['kind'], value: string, more: Partial<RouteMatch> = {}): RouteMatch {
  return { path: { kind, value }, headers: [], query: [], ...more }
}

function header(name: string, kind: HeaderMatch['kind'] = 'present', value = ''): HeaderMatch {
  return { name, kind, value, invert: false, ignoreCase: false, missingAsEmpty: false }
}

function query(name: string): QueryMatch {
  return { name, kind: 'present', value: '', ignoreCase: false }
}

/** Each comes before all that follow. */
const order: readonly RouteMatch[] = [
  match('exact', '/b'),
  match('exact', '/a/very/long/path'),
  match('regex', '/longer.*'),
  match('regex', '/b.*'),
  match('segment', '/foo/bar'),
  match('prefix', '/foo/'),
  match('segment', '/foo', { headers: [header(':method', 'exact', 'GET')] }),
  match('segment', '/foo'),
  match('prefix', '/foo', { headers: [header(':method', 'exact', 'GET')] }),
  match('prefix', '/foo', { headers: [header('a'), header('b')] }),
  match('prefix', '/foo', { headers: [header('b', 'exact', 'x')], query: [query('q')] }),
  match('prefix', '/foo', { headers: [header('a', 'exact', 'x')] }),
  match('prefix', '/foo', { headers: [header('a', 'regex', 'x')] }),
  match('prefix', '/foo', { headers: [header('a', 'contains', 'x')] }),
  match('prefix', '/foo', { headers: [header('a')] }),
  match('prefix', '/foo', { headers: [header('b')] }),
  match('prefix', '/foo', { query: [query('a'), query('b')] }),
  match('prefix', '/foo', { query: [query('a')] }),
  match('prefix', '/foo'),
  match('prefix', '/'),
]

test('the more specific comes first, whatever the order in which routes come', () => {
  const routes = order.map(
    (one): Route => ({ match: one, action: { kind: 'respond', status: 200 }, owner: '', rule: '' }),
  )
  fc.assert(
    fc.property(fc.shuffledSubarray(routes, { minLength: routes.length }), (shuffled) => {
      expect(orderRoutes(shuffled).map((route) => route.match)).toEqual(order)
    }),
  )
})

test('defect 18: the order is total: antisymmetric and transitive over every triple', () => {
  for (const [i, a] of order.entries()) {
    for (const [j, b] of order.entries()) expect(Math.sign(compareMatches(a, b))).toBe(Math.sign(i - j))
  }
})

test('of routes that match the same the last one stays', () => {
  const route = (status: number, headers: readonly HeaderMatch[]): Route => ({
    match: match('prefix', '/', { headers }),
    action: { kind: 'respond', status },
    owner: '',
    rule: '',
  })
  const [a, b] = [header('a'), header('b')]
  expect(orderRoutes([route(200, [a, b]), route(201, [b, a])]).map(({ action }) => action)).toEqual([
    { kind: 'respond', status: 201 },
  ])
})
