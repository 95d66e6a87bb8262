import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch } from '../dag/match.ts'
import { compareMatches, orderRoutes } from '../dag/route-order.ts'
import type { Route } from '../dag/virtual-host.ts'
import { pathTakes, takes } from './matching.ts'
import { type Asked, requestOf } from './request.ts'

function asked(url: string, method = 'GET', headers: Asked['headers'] = []) {
  const [path = '/', query = ''] = url.split('?')
  const at = { scheme: 'http', host: 'shop.test', port: '', isAddress: false } as const
  return requestOf({ ...at, path, query, method, headers }, { mergeSlashes: true })
}

function match(kind: PathMatch['kind'], value: string, more: Partial<RouteMatch> = {}): RouteMatch {
  return { path: { kind, value }, headers: [], query: [], ...more }
}

function header(kind: HeaderMatch['kind'], value: string, more: Partial<HeaderMatch> = {}): RouteMatch {
  const plain = { invert: false, ignoreCase: false, missingAsEmpty: false }
  return match('prefix', '/', { headers: [{ name: 'X-User', kind, value, ...plain, ...more }] })
}

function query(kind: QueryMatch['kind'], value: string, ignoreCase = false): RouteMatch {
  return match('prefix', '/', { query: [{ name: 'q', kind, value, ignoreCase }] })
}

test.each([
  ['exact', '/a', '/a', true],
  ['exact', '/a', '/a/', false],
  ['prefix', '/a', '/ab', true],
  ['segment', '/a', '/ab', false],
  ['segment', '/a', '/a', true],
  ['segment', '/a', '/a/b', true],
  ['regex', '/a.*', '/abc', true],
  ['regex', '/a', '/abc', false],
] as const)('a path that is %s %s takes %s: %s', (kind, value, path, taken) => {
  expect(pathTakes({ kind, value }, path)).toBe(taken)
})

test.each<readonly [string, RouteMatch, string | undefined, boolean]>([
  ['present', header('present', ''), 'me', true],
  ['present', header('present', ''), undefined, false],
  ['absent', header('present', '', { invert: true }), undefined, true],
  ['exact', header('exact', 'me'), 'me', true],
  ['exact', header('exact', 'me'), 'Me', false],
  ['exact, whatever the case', header('exact', 'me', { ignoreCase: true }), 'Me', true],
  ['contains', header('contains', 'm'), 'me', true],
  ['regex, of all of it', header('regex', 'm'), 'me', false],
  ['not exact', header('exact', 'me', { invert: true }), 'you', true],
  ['not exact, and it is not there', header('exact', 'me', { invert: true }), undefined, false],
  [
    'not exact, and it is not there, which is empty',
    header('exact', 'me', { invert: true, missingAsEmpty: true }),
    undefined,
    true,
  ],
])('a header: %s', (_name, wanted, value, taken) => {
  const headers: Asked['headers'] = value === undefined ? [] : [['x-user', value]]
  expect(takes(wanted, asked('/', 'GET', headers))).toBe(taken)
})

test.each<readonly [RouteMatch, string, boolean]>([
  [query('present', ''), '/?q', true],
  [query('present', ''), '/?p=q', false],
  [query('exact', 'a'), '/?p=1&q=a', true],
  [query('exact', 'a'), '/?q=b&q=a', false],
  [query('exact', 'a', true), '/?q=A', true],
  [query('prefix', 'a'), '/?q=ab', true],
  [query('suffix', 'b'), '/?q=ab', true],
  [query('contains', 'x'), '/?q=ab', false],
  [query('regex', 'a.'), '/?q=ab', true],
])('a query parameter: %j takes %s: %s', (wanted, url, taken) => {
  expect(takes(wanted, asked(url))).toBe(taken)
})

test('the method and the host are headers too', () => {
  const of = (name: string, value: string): RouteMatch => {
    const plain = { invert: false, ignoreCase: false, missingAsEmpty: false }
    return match('prefix', '/', { headers: [{ name, kind: 'exact', value, ...plain }] })
  }
  expect(takes(of(':method', 'POST'), asked('/', 'POST'))).toBe(true)
  expect(takes(of(':method', 'POST'), asked('/'))).toBe(false)
  expect(takes(of(':authority', 'shop.test'), asked('/'))).toBe(true)
})

const paths: readonly (readonly [PathMatch['kind'], string])[] = [
  ['exact', '/a/b'],
  ['regex', '/a/.*'],
  ['prefix', '/a'],
  ['segment', '/a/b'],
  ['prefix', '/a/b'],
  ['prefix', '/'],
]
const route: fc.Arbitrary<Route> = fc
  .tuple(fc.constantFrom(...paths), fc.boolean(), fc.boolean())
  .map(([[kind, value], withMethod, withQuery]) => {
    const plain = { invert: false, ignoreCase: false, missingAsEmpty: false }
    const get: HeaderMatch = { name: ':method', kind: 'exact', value: 'GET', ...plain }
    const own: QueryMatch = { name: 'q', kind: 'present', value: '', ignoreCase: false }
    const more = { headers: withMethod ? [get] : [], query: withQuery ? [own] : [] }
    return {
      match: match(kind, value, more),
      action: { kind: 'respond', status: 200 },
      owner: '',
      rule: `${kind} ${value} ${withMethod} ${withQuery}`,
    }
  })

test('the first route that takes a request goes before every other that would', () => {
  const urls = fc.constantFrom('/a/b', '/a/b?q', '/a/bc', '/a', '/ab', '/', '/a/b/c?q=1')
  fc.assert(
    fc.property(
      fc.array(route, { minLength: 1 }),
      urls,
      fc.constantFrom('GET', 'POST'),
      (routes, url, method) => {
        const request = asked(url, method)
        const first = orderRoutes(routes).find((one) => takes(one.match, request))
        const able = routes.filter((one) => takes(one.match, request))
        expect(first === undefined).toBe(able.length === 0)
        for (const other of able)
          expect(compareMatches(first?.match ?? other.match, other.match)).toBeLessThanOrEqual(0)
      },
    ),
  )
})
