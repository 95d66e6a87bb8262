/** What translation writes, given to a real Envoy by our own server: it takes everything, and does what was meant. */
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { settingsOf } from './objects.ts'
import { settled, translateFor } from './traffic.ts'

const folder = new URL('./testdata/', import.meta.url)
const inputs = readdirSync(folder).filter((file) => /^[^.]+\.yaml$/.test(file))
const certificate = readFileSync(new URL('ingress-tls.yaml', folder), 'utf8')
  .split('\n---\n')
  .find((text) => text.includes('kind: Secret'))

let stand: Stand

/** undefined: no TLS connection came about. */
function secureStatus(servername: string, host: string, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const at = {
      host: '127.0.0.1',
      port: stand.httpsPort,
      servername,
      rejectUnauthorized: false,
      agent: false,
    }
    const call = get({ ...at, path, headers: { host } }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    call.on('error', () => resolve(undefined))
  })
}

const objects = (port: number) => `
{kind: Service, metadata: {name: echo, namespace: web}, spec: {ports: [{name: http, port: 80}]}}
---
kind: EndpointSlice
metadata: {name: echo-1, namespace: web, labels: {kubernetes.io/service-name: echo}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]
---
${certificate}
---
kind: Ingress
metadata: {name: default, namespace: web}
spec: {defaultBackend: {service: {name: echo, port: {number: 80}}}}
---
kind: Ingress
metadata: {name: segments, namespace: web}
spec:
  rules:
  - host: segments.test
    http: {paths: [{path: /app, pathType: Prefix, backend: {service: {name: echo, port: {number: 80}}}}]}
---
kind: HTTPProxy
metadata: {name: exact, namespace: web}
spec:
  virtualhost: {fqdn: exact.test}
  routes: [{conditions: [{prefix: /app}], services: [{name: echo, port: 80}]}]
---
kind: HTTPProxy
metadata: {name: none, namespace: web}
spec:
  virtualhost: {fqdn: none.test}
  routes: [{services: [{name: gone, port: 80}]}]
---
kind: HTTPProxy
metadata: {name: wild, namespace: web}
spec:
  virtualhost: {fqdn: '*.example.test', tls: {secretName: cert}}
  routes: [{conditions: [{prefix: /app}], permitInsecure: true, services: [{name: echo, port: 80}]}]
---
kind: HTTPProxy
metadata: {name: secure, namespace: web}
spec:
  virtualhost: {fqdn: one.example.test, tls: {secretName: cert}}
  routes: [{services: [{name: echo, port: 80}]}]
`

const ways: readonly Way[] = ['delta', 'full', 'streams']

describe.skipIf(withoutEnvoy()).each(ways)('a real Envoy by way of %s', { timeout: 60_000 }, (way) => {
  afterEach(() => stand.close())

  test('takes every resource of every golden case', async () => {
    stand = await new Stand().open()
    const envoy = await stand.startEnvoy(way)
    for (const input of inputs) {
      const text = readFileSync(new URL(input, folder), 'utf8')
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag: settingsOf(text) }))
      await eventually(`${input} is settled`, () => settled(stand))
      expect({ input, refused: stand.refused }).toEqual({ input, refused: [] })
    }
    const log = await envoy.log()
    expect(log).not.toContain('rejected')
    expect(log).not.toContain('deprecated')
  })

  test('serves each request from the virtual host that stands for it', async () => {
    stand = await new Stand().open()
    await stand.startEnvoy(way)
    const port = await stand.backend('echo')
    stand.publishEach((layout) => translateFor(stand, objects(port), layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('exact.test', '/app'))
    const status = async (host: string, path: string) => (await stand.http(host, path))?.status
    expect(await status('exact.test', '/app/x')).toBe(200)
    expect(await status('Exact.Test:8080', '/app')).toBe(200)
    expect(await status('exact.test', '/other')).toBe(404)
    expect(await status('segments.test', '/app/x')).toBe(200)
    expect(await status('segments.test', '/apple')).toBe(404)
    expect(await status('none.test', '/')).toBe(503)
    expect(await status('a.example.test', '/app')).toBe(200)
    expect(await status('A.Example.test:80', '/app')).toBe(200)
    expect(await status('a.example.test', '/other')).toBe(404)
    expect(await status('one.example.test', '/')).toBe(301)
    expect(await status('unknown.test', '/')).toBe(200)
  })

  test('over TLS, serves the host of the handshake and no other', async () => {
    stand = await new Stand().open()
    await stand.startEnvoy(way)
    const port = await stand.backend('echo')
    stand.publishEach((layout) => translateFor(stand, objects(port), layout))
    await eventually('the port opens', () => stand.https('one.example.test'))
    const status = (sni: string, host: string, path = '/app') => secureStatus(sni, host, path)
    expect(await status('one.example.test', 'one.example.test', '/')).toBe(200)
    expect(await status('a.example.test', 'a.example.test')).toBe(200)
    expect(await status('a.example.test', 'A.Example.test:443')).toBe(200)
    expect(await status('a.example.test', 'b.example.test')).toBe(421)
    expect(await status('a.example.test', 'one.example.test')).toBe(421)
    expect(await status('one.example.test', 'a.example.test')).toBe(421)
    expect(await status('a.example.test', 'exact.test')).toBe(421)
    expect(await status('a.b.example.test', 'a.b.example.test')).toBe(404)
    expect(await status('unknown.test', 'unknown.test')).toBeUndefined()
  })
})
