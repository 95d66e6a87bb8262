import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { findEnvoy, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { type BootstrapOptions, bootstrapJson, writeBootstrap } from './index.ts'

let directory = ''

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-bootstrap-'))
  const { ca, client } = await makeCertificates({ namespace: 'projectcontour', lifetimeDays: 1 })
  writeFileSync(join(directory, 'ca.crt'), ca)
  writeFileSync(join(directory, 'tls.crt'), client.certificate)
  writeFileSync(join(directory, 'tls.key'), client.key)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function options(changed: Partial<BootstrapOptions> = {}): BootstrapOptions {
  return {
    logger: silentLogger(),
    path: join(directory, 'bootstrap.json'),
    nodeId: 'envoy-1',
    nodeCluster: 'projectcontour',
    xdsAddress: 'contour',
    xdsPort: 8001,
    adminAddress: join(directory, 'admin.sock'),
    dnsLookupFamily: 'auto',
    tls: undefined,
    resourcesDirectory: undefined,
    maximumHeapBytes: undefined,
    maximumDownstreamConnections: undefined,
    ...changed,
  }
}

const tls = () => ({
  ca: join(directory, 'ca.crt'),
  certificate: join(directory, 'tls.crt'),
  key: join(directory, 'tls.key'),
})

test('a name is looked up, an address of either family is taken as it is', () => {
  const type = (xdsAddress: string) =>
    JSON.parse(bootstrapJson(options({ xdsAddress }))).static_resources.clusters[0].type
  expect(type('contour')).toBe('STRICT_DNS')
  expect(type('10.0.0.1') ?? 'STATIC').toBe('STATIC')
  expect(type('fd00::1') ?? 'STATIC').toBe('STATIC')
})

test('everything comes by one delta stream that waits for its first answer', () => {
  const { dynamic_resources: dynamic, node } = JSON.parse(bootstrapJson(options()))
  expect(node).toEqual({ id: 'envoy-1', cluster: 'projectcontour' })
  expect(dynamic.ads_config.api_type).toBe('DELTA_GRPC')
  const [service] = dynamic.ads_config.grpc_services
  expect(service.envoy_grpc.retry_policy.retry_back_off.max_interval).toBe('1s')
  expect(dynamic.cds_config).toEqual({ ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' })
  expect(dynamic.lds_config).toEqual(dynamic.cds_config)
})

test('statistics cost what is asked of them: of clusters in use, and no timer', () => {
  const made = JSON.parse(bootstrapJson(options()))
  expect(made.deferred_stat_options).toEqual({ enable_deferred_creation_stats: true })
  expect(made).toMatchObject({ stats_flush_on_admin: true })
  expect(made).not.toHaveProperty('stats_flush_interval')
})

test('with a resources directory the certificate files stand in SDS files, else in the bootstrap', async () => {
  const resourcesDirectory = join(directory, 'resources')
  await writeBootstrap(options({ tls: tls(), resourcesDirectory }))
  const certificate = readFileSync(join(resourcesDirectory, 'sds', 'xds-tls-certificate.json'), 'utf8')
  expect(JSON.parse(certificate).resources[0].tls_certificate.private_key).toEqual({ filename: tls().key })
  const validation = readFileSync(join(resourcesDirectory, 'sds', 'xds-validation-context.json'), 'utf8')
  expect(JSON.parse(validation).resources[0].validation_context.trusted_ca).toEqual({ filename: tls().ca })
  expect(bootstrapJson(options({ tls: tls(), resourcesDirectory }))).not.toContain('tls.key')
  expect(bootstrapJson(options({ tls: tls() }))).toContain('tls.key')
})

describe.skipIf(withoutEnvoy())('Envoy accepts', () => {
  test.each<[string, () => Partial<BootstrapOptions>]>([
    ['the plainest one', () => ({})],
    ['addresses', () => ({ xdsAddress: 'fd00::1', dnsLookupFamily: 'all' as const })],
    ['certificates in the bootstrap', () => ({ tls: tls() })],
    ['certificates in SDS files', () => ({ tls: tls(), resourcesDirectory: join(directory, 'resources') })],
    ['limits', () => ({ maximumHeapBytes: 1_000_000_000, maximumDownstreamConnections: 1000 })],
  ])('%s', async (_, changed) => {
    const wanted = options(changed())
    await writeBootstrap(wanted)
    const output = execFileSync(
      findEnvoy() ?? '',
      ['--mode', 'validate', '-c', wanted.path, '--disable-hot-restart', '--log-level', 'error'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    )
    expect(output).toContain('OK')
  })
})
