/** `/metrics` over TLS on loopback: who is let in, what is logged, and which certificate is shown. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { makeAuthority, makeLeaf, validFor } from '@landfall/certificates'
import { afterEach, expect, test } from 'vitest'
import type { Review, SecureMetrics } from './index.ts'
import { createLogger, defaultTls, Health, type HttpServer, Metrics, serveMetrics } from './index.ts'

let server: HttpServer | undefined
let folder = ''
let lines: Record<string, unknown>[] = []
let asked: string[] = []

afterEach(async () => {
  await server?.close()
  if (folder !== '') rmSync(folder, { recursive: true })
  folder = ''
  lines = []
  asked = []
})

const plainly: SecureMetrics = { tls: defaultTls, certificateFolder: undefined }

async function serve(
  secure: SecureMetrics | undefined,
  review: (token: string) => Promise<Review> = () => Promise.resolve({ kind: 'allowed' }),
): Promise<number> {
  server = await serveMetrics({
    listener: { address: '127.0.0.1', port: await freePort(), secure },
    metrics: new Metrics('1.2.3'),
    health: new Health(),
    review: (token) => {
      asked.push(token)
      return review(token)
    },
    logger: createLogger({ write: (line) => void lines.push(JSON.parse(line)) }),
    lookMs: 20,
  })
  return server?.port ?? 0
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

function get(port: number, token?: string, path = '/metrics'): Promise<readonly [number, string]> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false }
    const sent = request(options, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += String(chunk)))
      response.on('end', () => resolve([response.statusCode ?? 0, body]))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** @returns the name in the certificate that was shown */
async function handshake(port: number, more: object = {}): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...more })
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return CN
}

test('a token that may is let in, and reviewed once', async () => {
  const port = await serve(plainly)
  for (let i = 0; i < 3; i++) {
    const [status, body] = await get(port, 'good')
    expect(status).toBe(200)
    expect(body).toContain('landfall_build_info{version="1.2.3"} 1')
  }
  expect(asked).toEqual(['good'])
  expect((await get(port, 'good', '/healthz'))[0]).toBe(404)
})

test('no token is 401, as is one that nobody knows; one that may not is 403', async () => {
  const answers: Readonly<Record<string, Review>> = {
    stranger: { kind: 'unknown' },
    other: { kind: 'denied', user: 'jane' },
  }
  const port = await serve(plainly, (token) => Promise.resolve(answers[token] ?? { kind: 'allowed' }))
  expect((await get(port))[0]).toBe(401)
  expect(asked).toEqual([])
  expect((await get(port, 'stranger'))[0]).toBe(401)
  const [status, body] = await get(port, 'other')
  expect([status, body]).toEqual([403, expect.stringContaining('jane may not get /metrics')])
})

test('a review that is not granted refuses each scrape, and is logged once with what to do', async () => {
  const port = await serve(plainly, () => Promise.resolve({ kind: 'notGranted', missing: 'tokenreviews' }))
  for (const token of ['a', 'a', 'b']) expect((await get(port, token))[0]).toBe(403)
  expect(lines.map(({ event, msg }) => [event, msg])).toEqual([
    [
      'scrapeNotReviewed',
      expect.stringMatching(/does not grant tokenreviews; grant it, or give --port=7472/),
    ],
  ])
})

test('a review that failed is 503, and asked again', async () => {
  const answers: (() => Promise<Review>)[] = [() => Promise.reject(new Error('away'))]
  const port = await serve(plainly, () => answers.pop()?.() ?? Promise.resolve({ kind: 'allowed' }))
  expect([(await get(port, 'a'))[0], (await get(port, 'a'))[0]]).toEqual([503, 200])
})

test('TLS is 1.3 alone unless told otherwise, with the curves that were named', async () => {
  const first = await serve(plainly)
  await expect(handshake(first, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/i)
  await server?.close()
  const tls = { minVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', ecdhCurve: 'P-384' } as const
  const second = await serve({ ...plainly, tls })
  await handshake(second, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
  await expect(
    handshake(second, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
  ).rejects.toThrow(/handshake/i)
  await expect(handshake(second, { ecdhCurve: 'P-256' })).rejects.toThrow(/handshake/i)
})

test('the files of the certificate are read again when they change, and a bad one changes nothing', async () => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-metrics-'))
  const write = async (name: string) => {
    const authority = await makeAuthority(`CN=${name}`, 'ecdsa-p256', validFor(1))
    const pair = await makeLeaf(authority, { subject: `CN=${name}`, names: [name], usage: 'server' })
    writeFileSync(join(folder, 'tls.key'), pair.key)
    writeFileSync(join(folder, 'tls.crt'), pair.certificate)
  }
  await write('one')
  const port = await serve({ ...plainly, certificateFolder: folder })
  expect(await handshake(port)).toBe('one')
  writeFileSync(join(folder, 'tls.crt'), 'x')
  await until(() => lines.some(({ event }) => event === 'metricsCertificateNotRead'))
  expect(await handshake(port)).toBe('one')
  await write('two')
  await until(async () => (await handshake(port)) === 'two')
})

test('plain HTTP has the health endpoints, too', async () => {
  const port = await serve(undefined)
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200)
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
})

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
