/** What objects of several namespaces and owners make together, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, type Client, pairOf, secretObject, serveBoth, serviceObjects } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const server = pairOf('server')

function proxy(name: string, spec: string, namespace = 'web', created = 1): string {
  return `---
kind: HTTPProxy
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: '2026-01-0${created}T00:00:00Z'}
spec: {${spec}}
`
}

function within(namespace: string, text: string): string {
  return text.replaceAll(/(namespace: |"namespace":")web/g, `$1${namespace}`)
}

const to = (name: string, conditions = '') =>
  `{${conditions === '' ? '' : `conditions: [${conditions}], `}services: [{name: ${name}, port: 80}]}`
const team = '{header: {name: X-Team, exact: red}}'

const includes = [
  `{name: shop, namespace: red, conditions: [{prefix: /shop}, ${team}]}`,
  '{name: gone, namespace: red, conditions: [{prefix: /gone}, {header: {name: X-Gone, present: true}}]}',
  '{name: other, conditions: [{prefix: /other}]}',
]

const delegation = `---
kind: TLSCertificateDelegation
metadata: {name: shared, namespace: certs}
spec: {delegations: [{secretName: shared, targetNamespaces: [web]}]}
`

function objects(one: number, two: number): string {
  const narrow =
    "name: narrow, annotations: {projectcontour.io/max-connections: '1', projectcontour.io/max-pending-requests: '1'},"
  return [
    serviceObjects('one', [{ http: one }]),
    serviceObjects('narrow', [{ http: two }]).replace('name: narrow,', narrow),
    within('red', serviceObjects('two', [{ http: two }])),
    proxy(
      'root',
      `virtualhost: {fqdn: root.test}, includes: [${includes.join(', ')}], routes: [${to('one')}]`,
    ),
    proxy('shop', `includes: [{name: cart, conditions: [{prefix: /cart}]}], routes: [${to('two')}]`, 'red'),
    proxy('cart', `routes: [${to('two', '{header: {name: X-User, present: true}}')}]`, 'red'),
    proxy('other', `virtualhost: {fqdn: other.test}, routes: [${to('one')}]`),
    proxy('late', `virtualhost: {fqdn: Other.test}, routes: [${to('two')}]`, 'red', 2),
    within('certs', secretObject('shared', { 'tls.crt': server.cert, 'tls.key': server.key })),
    delegation,
    proxy(
      'given',
      `virtualhost: {fqdn: given.test, tls: {secretName: certs/shared}}, routes: [${to('one')}]`,
    ),
    proxy(
      'kept',
      `virtualhost: {fqdn: kept.test, tls: {secretName: certs/shared}}, routes: [${to('two')}]`,
      'red',
    ),
    proxy('narrow', `virtualhost: {fqdn: narrow.test}, routes: [${to('narrow')}]`),
  ].join('')
}

describe.skipIf(withoutEnvoy()).each(ways)('tenants of an Envoy by way of %s', (way) => {
  const stand = new Stand()
  const [one, two] = [new Backend('one'), new Backend('two')]
  let client: Client
  let secure: Client

  beforeAll(async () => {
    await stand.open()
    await Promise.all([one.open(), two.open()])
    await stand.startEnvoy(way)
    const hosts = { plain: 'root.test', secure: 'given.test' }
    const clients = await serveBoth(stand, objects(one.port, two.port), hosts)
    client = clients.client
    secure = clients.secure
  }, 60_000)

  afterAll(async () => {
    client.close()
    secure.close()
    await stand.close()
    one.close()
    two.close()
  })

  async function answerOf(host: string, path: string, headers: Readonly<Record<string, string>> = {}) {
    const { status, body } = await client.send(host, { path, headers })
    return status === 200 ? body : status
  }

  test.each([
    ['/', {}, 'one'],
    ['/shop', { 'x-team': 'red' }, 'two'],
    ['/shop/a', { 'x-team': 'red' }, 'two'],
    ['/shopping', { 'x-team': 'red' }, 'two'],
    ['/shop', {}, 'one'],
    ['/shop', { 'x-team': 'blue' }, 'one'],
    ['/shop/cart', { 'x-team': 'red', 'x-user': 'me' }, 'two'],
    ['/cart', { 'x-team': 'red', 'x-user': 'me' }, 'one'],
  ])(
    '%s with %o is a matter of backend %s: conditions of includes add up',
    async (path, headers, backend) => {
      expect(stand.refused).toEqual([])
      expect(await answerOf('root.test', path, headers)).toBe(backend)
    },
  )

  test('defect 6: an include that is not there answers 502 under all its conditions, and under no fewer', async () => {
    expect(await answerOf('root.test', '/gone/a', { 'x-gone': 'yes' })).toBe(502)
    expect(await answerOf('root.test', '/gone/a')).toBe('one')
  })

  test('defect 13: of two roots for one host the older one is served, as if the other were not there', async () => {
    expect(await answerOf('other.test', '/')).toBe('one')
  })

  test('a certificate is shown for those whom its namespace gives it to, and nothing of the others is served', async () => {
    expect((await secure.send('given.test')).body).toBe('one')
    expect((await client.send('given.test')).status).toBe(301)
    expect(await stand.https('kept.test')).toBeUndefined()
    expect((await client.send('kept.test')).status).toBe(404)
  })

  test('above the limits of a Service requests are refused at once', async () => {
    const usual = two.answer
    const waiting: (() => void)[] = []
    two.answer = (_request, response) => void waiting.push(() => response.end('late'))
    const first = client.send('narrow.test')
    await eventually('the first is at the backend', () => waiting[0])
    const others = [client.send('narrow.test'), client.send('narrow.test')]
    const over = await Promise.race(others)
    expect([over.status, over.headers['x-envoy-overloaded']]).toEqual([503, 'true'])
    two.answer = usual
    waiting[0]?.()
    expect((await first).body).toBe('late')
    const statuses = (await Promise.all(others)).map(({ status }) => status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 503])
  })
})
