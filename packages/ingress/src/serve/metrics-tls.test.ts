/** `/metrics` of `serve` over TLS: for everybody, or for those alone who show a certificate of the authority. */
import { copyFileSync, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFileText } from '../configuration/read.ts'
import { freePort } from '../envoy-process/envoy-process.ts'
import { ServeBed } from './serve-bed.ts'

let bed: ServeBed
let port = 0

beforeEach(async () => {
  bed = await new ServeBed().open()
  port = await freePort()
})

afterEach(() => bed.close())

const pki = (file: string) => fileURLToPath(new URL(`../golden/testdata/pki/${file}`, import.meta.url))
const pem = (file: string) => readFileSync(pki(file), 'utf8')
const pairOf = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) })

interface Read {
  readonly status: number | undefined
  readonly text: string
  /** Of the certificate that was shown. */
  readonly subject: string
}

/** undefined: there was no answer. */
function read(path: string, client: object = {}): Promise<Read | undefined> {
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', port, path, servername: 'backend.test', ca: pem('ca.pem'), agent: false }
    const call = get({ ...at, ...client }, (response) => {
      const { socket, statusCode: status } = response
      const subject = socket instanceof TLSSocket ? String(socket.getPeerCertificate().subject.CN) : ''
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve({ status, text, subject }))
    })
    call.on('error', () => resolve(undefined))
  })
}

/** As `contour.yaml` says it. */
async function serve(folder: (file: string) => string, more = ''): Promise<string> {
  const files = `server-certificate-path: ${folder('server.pem')}, server-key-path: ${folder('server.key')}`
  const { settings, problems } = readFileText(
    `metrics: {contour: {address: 127.0.0.1, port: ${port}, ${files}${more}}}`,
  )
  expect(problems).toEqual([])
  return await bed.serve({}, {}, { ...settings, xdsInsecure: true })
}

test('without an authority everybody may read it, over TLS alone; health stays where it is', async () => {
  const health = await serve(pki)
  const answer = await read('/metrics')
  expect([answer?.status, answer?.subject]).toEqual([200, 'server'])
  expect(answer?.text).toContain('contour_build_info{branch="",revision="",version="9.9.9"} 1')
  expect((await read('/envoys?hosts=a.test'))?.status).toBe(200)
  expect((await read('/healthz'))?.status).toBe(404)
  const plain = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => 'no answer')
  expect(plain).toBe('no answer')
  expect((await fetch(`${health}/healthz`)).status).toBe(200)
  expect((await fetch(`${health}/metrics`)).status).toBe(404)
})

test('with an authority only who shows a certificate of it may read it', async () => {
  await serve(pki, `, ca-certificate-path: ${pki('ca.pem')}`)
  expect((await read('/metrics', pairOf('alice')))?.text).toContain('contour_build_info')
  expect(await read('/metrics')).toBeUndefined()
  expect(await read('/metrics', pairOf('p-224'))).toBeUndefined()
  expect(await read('/envoys')).toBeUndefined()
})

test('another certificate in the files is shown without a restart', async () => {
  const own = (file: string) => join(bed.directory, file)
  for (const file of ['server.pem', 'server.key']) copyFileSync(pki(file), own(file))
  await serve(own)
  expect((await read('/metrics'))?.subject).toBe('server')
  copyFileSync(pki('alice.pem'), own('server.pem'))
  copyFileSync(pki('alice.key'), own('server.key'))
  const subject = async () => (await read('/metrics', { checkServerIdentity: () => undefined }))?.subject
  await expect.poll(subject).toBe('alice')
})
