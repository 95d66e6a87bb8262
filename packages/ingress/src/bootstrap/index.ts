/**
 * `landfall bootstrap`: writes the file with which Envoy starts, and with --resources-dir the two SDS files that
 * let Envoy follow its own certificate as the Secret is renewed.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { create, createRegistry, type MessageInitShape, toJson } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import { BootstrapSchema } from '@envoyproxy/envoy-types/envoy/config/bootstrap/v3/bootstrap'
import { DownstreamConnectionsConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections'
import { FixedHeapConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import { UpstreamTlsContextSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import { HttpProtocolOptionsSchema } from '@envoyproxy/envoy-types/envoy/extensions/upstreams/http/v3/http_protocol_options'
import { DiscoveryResponseSchema } from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { makeBootstrap } from './bootstrap.ts'
import type { BootstrapOptions } from './options.ts'
import { certificateFile, sdsDirectory, sdsSecrets, validationFile } from './tls.ts'

export type { BootstrapOptions } from './options.ts'

const registry = createRegistry(
  BootstrapSchema,
  DownstreamConnectionsConfigSchema,
  FixedHeapConfigSchema,
  HttpProtocolOptionsSchema,
  SecretSchema,
  UpstreamTlsContextSchema,
)

/** The bootstrap in the form that Envoy reads, with the field names of its documentation. */
export function bootstrapJson(options: BootstrapOptions): string {
  return text(toJson(BootstrapSchema, makeBootstrap(options), { registry, useProtoFieldName: true }))
}

function sdsJson(secret: MessageInitShape<typeof SecretSchema>): string {
  const response = create(DiscoveryResponseSchema, {
    resources: [anyPack(SecretSchema, create(SecretSchema, secret))],
  })
  return text(toJson(DiscoveryResponseSchema, response, { registry, useProtoFieldName: true }))
}

function text(json: unknown): string {
  return `${JSON.stringify(json, undefined, 2)}\n`
}

/** Writes the files. Rejects, naming the path, when one cannot be written. */
export async function writeBootstrap(options: BootstrapOptions): Promise<void> {
  const { logger, path, resourcesDirectory, tls } = options
  if (tls !== undefined && resourcesDirectory !== undefined) {
    const directory = sdsDirectory(resourcesDirectory)
    await mkdir(directory, { recursive: true })
    const secrets = sdsSecrets(tls)
    await replace(join(directory, certificateFile), sdsJson(secrets.certificate))
    await replace(join(directory, validationFile), sdsJson(secrets.validation))
  }
  const bootstrap = bootstrapJson(options)
  if (path === '-') {
    process.stdout.write(bootstrap)
    return
  }
  await mkdir(dirname(path), { recursive: true })
  await replace(path, bootstrap)
  logger.info('bootstrapWritten', {
    path,
    xds: `${options.xdsAddress}:${options.xdsPort}`,
    tls: tls !== undefined,
  })
}

/** Readers see the old text or the new one. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o644 })
  await rename(`${path}.new`, path)
}
