/**
 * What the definitions of projectcontour.io refuse on a real API server, with the field in its answer; that
 * `config validate` refuses the same; and that every field is taken as it should be written.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { crdManifest, projectcontourResources } from '@landfall/api/crd'
import { type Cluster, pathOf, type RawObject } from '@landfall/kube'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { refusedOthers } from './refused-others.ts'
import { refusedProxies } from './refused-proxies.ts'
import { validate } from './validate.ts'

const service = { name: 'shop', port: 80 }

const rows = [...refusedProxies, ...refusedOthers].map(([kind, what, spec, ...fields]) => ({
  kind,
  what,
  spec,
  fields,
}))

function objectOf(kind: string, spec: unknown): RawObject {
  const resource = projectcontourResources.find((one) => one.kind === kind)
  const apiVersion = `${resource?.group}/${resource?.version}`
  const metadata = { name: 'one', namespace: 'default' }
  return { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) }
}

describe.skipIf(withoutApiServer())('on a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    await server.apply(...projectcontourResources.map(crdManifest))
  }, 90_000)

  afterAll(async () => {
    cluster?.close()
    await server?.stop()
  })

  /** As kubectl does, but that nothing stays. */
  const create = (object: RawObject): Promise<RawObject> => {
    const { kind, apiVersion = '' } = object
    const plural = projectcontourResources.find((one) => one.kind === kind)?.plural ?? ''
    const place = { apiVersion, plural, namespaced: true }
    const query = { dryRun: 'All', fieldValidation: 'Strict' }
    const path = pathOf(place, { namespace: object.metadata.namespace ?? 'default' })
    return cluster.request({ method: 'POST', path, query, body: object, timeoutMs: 30_000 })
  }

  test.each(rows)('$kind: $what', async ({ kind, spec, fields }) => {
    const object = objectOf(kind, spec)
    const said = await create(object).then(
      () => 'it is taken',
      (error: unknown) => String(error),
    )
    for (const field of fields) expect(said).toContain(field)
    const findings = validate([{ kind: 'object', file: 'a.yaml', object }], {}, 'default')
    expect(findings.map(({ status }) => status)).toEqual(['invalid'])
    // A field that is missing is told of what it is missing in.
    const paths = findings.flatMap(({ problems }) =>
      problems.map(({ message }) => message.split(':')[0] ?? ''),
    )
    for (const field of fields) expect(paths.filter((path) => field.startsWith(path))).not.toEqual([])
  })

  test('every field is taken, as the golden cases have it', async () => {
    for (const name of ['conditions', 'hosts', 'routes', 'streams']) {
      const path = fileURLToPath(new URL(`../golden/testdata/fields-${name}.yaml`, import.meta.url))
      const objects = parseAllDocuments(readFileSync(path, 'utf8'))
        .map((document) => document.toJS() as RawObject)
        .filter(({ kind }) => projectcontourResources.some((one) => one.kind === kind))
      expect(objects.length).toBeGreaterThan(0)
      for (const { kind = '', metadata, ...object } of objects) {
        const namespace = 'default'
        await create({ ...object, ...objectOf(kind, object['spec']), metadata: { ...metadata, namespace } })
      }
    }
  })

  test('what is not given has the defaults of Contour', async () => {
    const proxy = await create(
      objectOf('HTTPProxy', {
        virtualhost: {
          fqdn: '*.shop.test',
          authorization: { extensionRef: { name: 'a' }, withRequestBody: {} },
          corsPolicy: { allowOrigin: ['*'], allowMethods: ['GET'], maxAge: '0' },
        },
        routes: [
          {
            services: [{ ...service, port: 65_535, weight: 0, slowStartPolicy: { window: '1h30m' } }],
            timeoutPolicy: { response: 'infinity', idle: '1.5h', idleConnection: '100ms' },
            retryPolicy: { perTryTimeout: 'infinite' },
          },
          { requestRedirectPolicy: { path: '/' } },
        ],
      }),
    )
    expect(proxy).toMatchObject({
      spec: {
        virtualhost: { authorization: { serviceType: 'grpc', withRequestBody: { maxRequestBytes: 1024 } } },
        routes: [
          {
            services: [{ slowStartPolicy: { aggression: '1.0', minWeightPercent: 10 } }],
            retryPolicy: { count: 1 },
          },
          { requestRedirectPolicy: { statusCode: 302 } },
        ],
      },
      status: { currentStatus: 'NotReconciled', description: 'Waiting for controller' },
    })
    const configuration = { envoy: { network: { adminPort: 0 } }, featureFlags: [] }
    await create(objectOf('ContourConfiguration', configuration))
    await create(
      objectOf('TLSCertificateDelegation', { delegations: [{ secretName: 'a', targetNamespaces: ['*'] }] }),
    )
    await create(
      objectOf('ExtensionService', { services: [{ name: 'a', port: 65_535, weight: 4_294_967_295 }] }),
    )
  })
})
