/** What the configuration says of HTTP and of names, through a real Envoy, as its clients and backends see it. */
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { NameServer } from './name-server.ts'
import { publishWith, RawClient } from './settings-traffic.ts'
import { Backend, type Call, Client, proxyObject, serviceObjects } from './traffic.ts'

const externalService = (port: number) => `---
kind: Service
metadata: {name: named, namespace: web}
spec: {type: ExternalName, externalName: backend.test, ports: [{name: http, port: ${port}}]}
`

const objects = (port: number) =>
  [
    serviceObjects('one', [{ http: port }]),
    externalService(port),
    proxyObject('one', 'routes: [{services: [{name: one, port: 80}]}]'),
    proxyObject('named', `routes: [{services: [{name: named, port: ${port}}]}]`),
  ].join('')

describe.skipIf(withoutEnvoy())('HTTP as it is configured, in an Envoy', { timeout: 60_000 }, () => {
  const stand = new Stand()
  const names = new NameServer({ 'backend.test': '127.0.0.1' }, { 'backend.test': '0:0:0:0:0:0:0:1' })
  const backend = new Backend('four', ({ url }, response) => {
    if (url === '/named') response.setHeader('server', 'teapot')
    response.setHeader('content-type', 'text/plain')
    response.statusCode = Number(/^\/status\/(\d+)$/.exec(url ?? '')?.[1] ?? 200)
    response.end(url === '/long' ? 'tea '.repeat(200) : 'four')
  })
  /** On the same port, of the other family. */
  const six = createServer((_, response) => response.end('six'))

  /** On a connection of its own: one that is there keeps what it came by. */
  const send = async (host: string, call: Call = {}) => {
    const client = new Client(stand.httpPort)
    const answer = await client.send(host, call)
    client.close()
    return answer
  }
  const publish = (file: string) => publishWith(stand, objects(backend.port), file)

  beforeAll(async () => {
    await stand.open()
    await names.open()
    await backend.open()
    await once(six.listen(backend.port, '::1'), 'listening')
    await stand.startEnvoy('delta', names.port)
    await publish('')
    await eventually('one answers', () => stand.http('one.test'))
  }, 60_000)

  afterAll(async () => {
    await stand.close()
    for (const each of [names, backend, six]) each.close()
  })

  test.each([
    ['', 'envoy', 'envoy'],
    ['serverHeaderTransformation: append_if_absent', 'teapot', 'envoy'],
    ['serverHeaderTransformation: pass_through', 'teapot', undefined],
    ['serverHeaderTransformation: overwrite', 'envoy', 'envoy'],
  ])('the header server, with "%s"', async (file, named, nameless) => {
    await publish(file)
    const seen = async (path: string) => (await send('one.test', { path })).headers['server']
    await expect.poll(async () => [await seen('/named'), await seen('/')]).toEqual([named, nameless])
  })

  test.each([
    ['', 'gzip'],
    ['compression: {algorithm: zstd}', 'zstd'],
    ['compression: {algorithm: brotli}', 'br'],
    ['compression: {algorithm: disabled}', undefined],
  ])('answers are compressed, with "%s"', async (file, encoding) => {
    await publish(file)
    const headers = { 'accept-encoding': 'gzip, br, zstd' }
    const seen = async () => (await send('one.test', { path: '/long', headers })).headers['content-encoding']
    await expect.poll(seen).toBe(encoding)
  })

  test.each([
    ['', 200],
    ['disableAllowChunkedLength: true', 400],
  ])('a request that says its length twice, with "%s"', async (file, status) => {
    await publish(file)
    const ask = async () => {
      const raw = new RawClient(stand.httpPort)
      const answer = await raw.ask(
        'one.test',
        'content-length: 3\r\ntransfer-encoding: chunked\r\n',
        '0\r\n\r\n',
      )
      raw.socket.destroy()
      return answer
    }
    await expect.poll(ask).toBe(status)
  })

  test.each([
    ['', '/a/b', 200, 404],
    ['disableMergeSlashes: true', '//a//b', 200, 404],
    ['network: {strip-trailing-host-dot: true}', '/a/b', 200, 200],
  ])('paths and hosts that are written in another way, with "%s"', async (file, path, port, dot) => {
    await publish(file)
    const seen = async () => {
      const { status } = await send('one.test:8080', { path: '//a//b' })
      return [backend.last.url, status, (await send('one.test.')).status]
    }
    await expect.poll(seen).toEqual([path, port, dot])
  })

  test('requests are logged from the level on that is named', async () => {
    const [line, text] = ['"%RESPONSE_CODE%\\n"', objects(backend.port)]
    const levels = [
      ['info', ['200', '404', '503'], 'envoy'],
      ['error', ['404', '503'], undefined],
      ['critical', ['503'], 'envoy'],
      ['disabled', [], undefined],
    ] as const
    const logOf = (level: string) => join(stand.directory, `${level}.log`)
    for (const [level, , server] of levels) {
      const header = `serverHeaderTransformation: ${server === undefined ? 'pass_through' : 'overwrite'}`
      const file = `accesslog-level: ${level}\naccesslog-format-string: ${line}\n${header}`
      await publishWith(stand, text, file, { httpAccessLog: logOf(level) })
      await expect.poll(async () => (await send('one.test')).headers['server']).toBe(server)
      for (const status of [404, 503]) await send('one.test', { path: `/status/${status}` })
    }
    const logged = levels.map(([level]) => () => {
      const written = existsSync(logOf(level)) ? readFileSync(logOf(level), 'utf8') : ''
      return [...new Set(written.split('\n').filter((one) => one !== ''))].toSorted()
    })
    await expect.poll(() => logged.map((read) => read())).toEqual(levels.map(([, statuses]) => statuses))
  })

  test('names are looked up in the family that is named', async () => {
    const answered = async () => (await send('named.test')).body
    const family = (name: string) =>
      publish(`enableExternalNameService: true\ncluster: {dns-lookup-family: ${name}}`)
    for (const [name, body] of [
      ['v4', 'four'],
      ['v6', 'six'],
      ['auto', 'six'],
    ] as const) {
      await family(name)
      await expect.poll(answered).toBe(body)
    }
    six.closeAllConnections()
    six.close()
    await once(six, 'close')
    await expect.poll(async () => (await send('named.test')).status).toBe(503)
    await family('all')
    await expect.poll(answered).toBe('four')
    expect(stand.refused).toEqual([])
  })
})
