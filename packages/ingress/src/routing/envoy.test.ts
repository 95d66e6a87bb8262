/** A real Envoy takes the route that the trace says it takes. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { readObjects } from '../golden/objects.ts'
import { proxyObject, settled, translateFor } from '../golden/traffic.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { requestOf } from './request.ts'
import { traceRequest } from './trace.ts'

/** Each in YAML; one that none of them takes goes to no route. */
const conditions: readonly string[] = [
  '{prefix: /a}',
  '{prefix: /a/long}',
  '{exact: /a/exact}',
  '{regex: "/a/[0-9]+"}',
  '{prefix: /a}, {header: {name: :method, exact: POST}}',
  '{prefix: /h}, {header: {name: X-User, exact: me}}',
  '{prefix: /h}, {header: {name: X-User, contains: m, ignoreCase: true}}',
  '{prefix: /h}, {header: {name: X-User, regex: "y.u"}}',
  '{prefix: /n}, {header: {name: X-User, notexact: me}}',
  '{prefix: /m}, {header: {name: X-User, notexact: me, treatMissingAsEmpty: true}}',
  '{prefix: /p}, {header: {name: X-User, notpresent: true}}',
  '{prefix: /q}, {queryParameter: {name: q, exact: a}}',
  '{prefix: /q}, {queryParameter: {name: q, prefix: B, ignoreCase: true}}',
  '{prefix: /q}, {queryParameter: {name: q, present: true}}',
  '{prefix: /q}, {queryParameter: {name: r, regex: "[0-9]+"}}',
  '{prefix: "/t~x!"}',
]
const routes = conditions.map(
  (one, index) => `{conditions: [${one}], directResponsePolicy: {statusCode: 200, body: "${index}"}}`,
)
const text = proxyObject('shop', `routes: [${routes.join(', ')}]`)

interface Sent {
  readonly url: string
  readonly method?: string
  readonly user?: string
}

const sent: readonly Sent[] = [
  ...['/a', '/ab', '/a/long/er', '/a/exact', '/a/exact/', '/a/12', '/a/12x', '/none'].map((url) => ({ url })),
  ...['//a//exact', '/x/../a/exact', '/a/%65xact', '/A', '/t%7ex!', '/t~x%21', '/a%2Flong'].map((url) => ({
    url,
  })),
  { url: '/a', method: 'POST' },
  { url: '/a/12', method: 'POST' },
  ...['me', 'Me', 'you', 'other'].map((user) => ({ url: '/h', user })),
  { url: '/h' },
  ...['/n', '/m', '/p'].flatMap((url) => [{ url }, { url, user: 'me' }, { url, user: 'you' }]),
  ...['q=a', 'q=bc', 'q=c', 'q', 'r=12', 'r=x', 'q=b&q=a', 'q=a&r=1', 'x=q', ''].map((query) => ({
    url: `/q?${query}`,
  })),
]

describe.skipIf(withoutEnvoy())('the route that Envoy takes', () => {
  const stand = new Stand()

  beforeAll(async () => {
    await stand.open()
    await stand.startEnvoy('delta')
    stand.publishEach((layout) => translateFor(stand, text, layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('shop.test'))
  }, 60_000)

  afterAll(() => stand.close())

  test.each(sent)('$method $url $user', async (one) => {
    expect(tracedTo(one)).toBe(await answerOf(stand.httpPort, one))
  })
})

/** Number of the route; '404' for none. */
function tracedTo({ url, method = 'GET', user }: Sent): string {
  const { changes } = readObjects(text)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const { pathname, search } = new URL(`http://shop.test${url}`)
  const asked = {
    scheme: 'http' as const,
    host: 'shop.test',
    port: '',
    isAddress: false,
    path: pathname,
    query: search.slice(1),
    method,
    headers: user === undefined ? [] : [['X-User', user] as const],
  }
  const { served } = traceRequest(
    changes,
    world,
    defaultEngineOptions,
    requestOf(asked, { mergeSlashes: true }),
  )
  const route = served?.kind === 'http' ? served.route : undefined
  return /^spec\.routes\[(\d+)\]$/.exec(route?.rule ?? '')?.[1] ?? '404'
}

function answerOf(port: number, { url, method = 'GET', user }: Sent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'shop.test', ...(user === undefined ? {} : { 'x-user': user }) }
    const call = request(
      { host: '127.0.0.1', port, path: url, method, headers, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve(response.statusCode === 404 ? '404' : body))
      },
    )
    call.on('error', reject)
    call.end()
  })
}
