import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type CertgenOptions, runCertgen } from './index.ts'

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-certgen-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function options(changed: Partial<CertgenOptions>): CertgenOptions {
  return {
    logger: silentLogger(),
    version: 'test',
    lifetimeDays: 30,
    kube: false,
    overwrite: false,
    yaml: false,
    pem: false,
    directory,
    namespace: 'ns',
    nameSuffix: '',
    format: 'compact',
    ...changed,
  }
}

const read = (name: string) => readFileSync(join(directory, name), 'utf8')

test('PEM files and manifests carry the same set, and are not replaced unasked', async () => {
  await runCertgen(options({ pem: true, yaml: true }))
  const certificate = new X509Certificate(read('contourcert.pem'))
  expect(certificate.checkPrivateKey(createPrivateKey(read('contourkey.pem')))).toBe(true)
  const manifest = parse(read('contourcert.yaml'))
  expect(Buffer.from(manifest.data['tls.crt'], 'base64').toString()).toBe(read('contourcert.pem'))
  await expect(runCertgen(options({ pem: true }))).rejects.toThrow('EEXIST')
  await runCertgen(options({ pem: true, overwrite: true }))
  expect(read('contourcert.pem')).not.toBe(certificate.toString())
})

test('asked for nothing, it says so', async () => {
  await expect(runCertgen(options({}))).rejects.toThrow('--kube')
})
