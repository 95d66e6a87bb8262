/** Which of two routes that both take a request has it, for every ordered pair, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, Client, serviceObjects, settled, translateFor } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']

const request = {
  method: 'POST',
  path: '/a/b?q=1&r=2',
  headers: { 'x-one': 'abc', 'x-two': 'xyz' },
}
const header = (name: string, how: string) => `{header: {name: ${name}, ${how}}}`
const query = (name: string, how: string) => `{queryParameter: {name: ${name}, ${how}}}`
const method = header(':method', 'exact: POST')
const below = (...more: readonly string[]) => ['{prefix: /a}', ...more].join(', ')

/** A prefix that ends with a segment of the path: the paths of Ingresses have such. */
interface Segment {
  readonly segment: string
}

/** All take the request, and each goes before all that follow. Two exact paths cannot both be that of a request. */
const order: readonly (string | Segment)[] = [
  '{exact: /a/b}',
  '{regex: "/a/[a-z]+"}',
  '{regex: "/a/.+"}',
  '{regex: "/a/.*"}',
  { segment: '/a/b' },
  '{prefix: /a/b}',
  '{prefix: /a/}',
  { segment: '/a' },
  below(method, header('X-One', 'present: true')),
  below(method),
  below(header('X-One', 'present: true'), header('X-Two', 'present: true')),
  below(header('X-One', 'present: true'), query('q', 'present: true'), query('r', 'present: true')),
  below(header('X-One', 'exact: abc'), query('q', 'present: true')),
  below(header('X-One', 'exact: abc')),
  below(header('X-One', 'regex: "a.c"')),
  below(header('X-One', 'contains: a')),
  below(header('X-One', 'contains: b')),
  below(header('X-One', 'present: true')),
  // The value counts before what is asked of it.
  below(header('X-Two', 'notexact: abc')),
  below(header('X-Two', 'exact: xyz')),
  below(header('X-Zed', 'notpresent: true')),
  below(query('q', 'present: true'), query('r', 'present: true')),
  below(query('q', 'exact: "1"')),
  below(query('q', 'exact: "1", ignoreCase: true')),
  below(query('q', 'regex: "[0-9]"')),
  below(query('q', 'prefix: "1"')),
  below(query('q', 'suffix: "1"')),
  below(query('q', 'contains: "1"')),
  below(query('q', 'present: true')),
  below(query('r', 'exact: "2"')),
  below(),
  '{prefix: /}',
]

/** In one object both stand in this order; of two objects the first is the older one. */
const pairs = order.flatMap((_, first) =>
  order.flatMap((_, second) => (first === second ? [] : [{ first, second, name: `p${first}-${second}` }])),
)

const segments = order.flatMap((one, index) => (typeof one === 'string' ? [] : [{ ...one, index }]))

/** Routes that answer with their place in the order: those of an HTTPProxy themselves, those of an Ingress by a backend. */
function objectsOf({ first, second, name }: (typeof pairs)[number]): string {
  const both = [first, second]
  const routes = both.flatMap((index) => {
    const conditions = order[index]
    return typeof conditions === 'string'
      ? [`{conditions: [${conditions}], directResponsePolicy: {statusCode: 200, body: "${index}"}}`]
      : []
  })
  const paths = both.flatMap((index) => {
    const path = segments.find((one) => one.index === index)?.segment
    const backend = `{service: {name: s${index}, port: {number: 80}}}`
    return path === undefined ? [] : [`{path: ${path}, pathType: Prefix, backend: ${backend}}`]
  })
  const metadata = (minute: number) =>
    `{name: ${name}, namespace: web, creationTimestamp: '2026-01-01T00:0${minute}:00Z'}`
  const ingressFirst = typeof order[first] !== 'string'
  const proxy = `---
kind: HTTPProxy
metadata: ${metadata(ingressFirst ? 1 : 0)}
spec: {virtualhost: {fqdn: ${name}.test}, routes: [${routes.join(', ')}]}
`
  const ingress = `---
kind: Ingress
metadata: ${metadata(ingressFirst ? 0 : 1)}
spec: {rules: [{host: ${name}.test, http: {paths: [${paths.join(', ')}]}}]}
`
  return (routes.length === 0 ? '' : proxy) + (paths.length === 0 ? '' : ingress)
}

describe.skipIf(withoutEnvoy()).each(ways)(
  'of two routes in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backends = segments.map(({ index }) => ({ index, backend: new Backend(`${index}`) }))
    let client: Client

    beforeAll(async () => {
      await stand.open()
      await Promise.all(backends.map(({ backend }) => backend.open()))
      await stand.startEnvoy(way)
      const services = backends.map(({ index, backend }) =>
        serviceObjects(`s${index}`, [{ http: backend.port }]),
      )
      const text = [...services, ...pairs.map(objectsOf)].join('')
      stand.publishEach((layout) => translateFor(stand, text, layout))
      await eventually('settled', () => settled(stand))
      await eventually('the port opens', () => stand.http(`${pairs.at(-1)?.name}.test`))
      client = new Client(stand.httpPort)
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      for (const { backend } of backends) backend.close()
    })

    test('the more specific has the request, whichever comes first', async () => {
      expect(stand.refused).toEqual([])
      const taken = await Promise.all(
        pairs.map(async ({ first, second, name }) => {
          const { status, body } = await client.send(`${name}.test`, request)
          return { first, second, by: status === 200 ? Number(body) : undefined }
        }),
      )
      expect(taken.filter(({ first, second, by }) => by !== Math.min(first, second))).toEqual([])
      expect(taken).toHaveLength(order.length * (order.length - 1))
    })
  },
)
