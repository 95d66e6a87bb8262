import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bookmark, FakeApiServer, statusOf } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { eventually, freePort } from '../envoy-process/envoy-process.ts'
import { defaultServeOptions } from '../options.ts'
import type { TlsFiles } from '../xds/certificates.ts'
import { runServe } from './serve.ts'

let directory: string
let server: FakeApiServer
let stop = () => Promise.resolve()

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-serve-'))
  server = new FakeApiServer()
  await server.listen()
})

afterEach(async () => {
  await stop()
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Against an empty cluster. @returns where its HTTP is */
async function serve(xdsTls?: TlsFiles): Promise<string> {
  const kubeconfig = join(directory, 'config')
  const url = `http://127.0.0.1:${server.port}`
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'fake', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'nobody' } }],
      users: [{ name: 'nobody', user: {} }],
      'current-context': 'fake',
    }),
  )
  const http = { address: '127.0.0.1', port: await freePort() }
  const ended = new AbortController()
  const running = runServe({
    ...defaultServeOptions('ns', 'me'),
    logger: silentLogger(),
    version: '9.9.9',
    signal: ended.signal,
    kubeconfig,
    http,
    health: http,
    xds: { address: '127.0.0.1', port: 0 },
    xdsTls,
  })
  stop = async () => {
    ended.abort()
    await running
  }
  for (let kinds = 0; kinds < 6; kinds++) await (await server.nextWatch()).send(bookmark(1, true))
  return `http://127.0.0.1:${http.port}`
}

test('/metrics tells who leads, and which requests to the API server failed', async () => {
  let made: unknown
  server.answer = ({ method, path, body }) => {
    if (!path.includes('/leases')) return undefined
    if (method === 'GET' && made === undefined) return { status: 404, body: statusOf(404, 'NotFound') }
    if (method === 'POST' || method === 'PUT') made = body
    return { body: made }
  }
  const at = await serve()
  const text = await eventually('leads', async () => {
    const body = await (await fetch(`${at}/metrics`)).text()
    return body.includes('leader_election_master_status{name="leader-elect"} 1') ? body : undefined
  })
  expect(text).toContain('landfall_kubernetes_request_failures_total{method="GET",status="404"} 1')
  expect(text).toContain('contour_build_info{branch="",revision="",version="9.9.9"} 1')
})

test('/metrics tells when the certificate shown to Envoys ends', async () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const { ca, server: own } = await makeCertificates({ namespace: 'ns', lifetimeDays: 30, now })
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const at = await serve({
    ca: write('ca.crt', ca),
    certificate: write('tls.crt', own.certificate),
    key: write('tls.key', own.key),
  })
  const text = await eventually('served', async () => {
    const body = await (await fetch(`${at}/metrics`)).text()
    return body.includes('landfall_xds_certificate_not_after_seconds ') ? body : undefined
  })
  expect(text).toContain(`landfall_xds_certificate_not_after_seconds ${Date.UTC(2026, 0, 31) / 1000}\n`)
})
