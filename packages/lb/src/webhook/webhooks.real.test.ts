/** A real API server with the registrations and the roles of MetalLB's own manifests, and nothing but our webhooks. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { type Cluster, type RawObject, secretType } from '@landfall/kube'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { createLogger, defaultTls } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secretOf } from './certificate.ts'
import { conversion, validation } from './registration.ts'
import { Webhooks } from './webhooks.ts'

const namespace = 'metallb-system'
const port = await freePort()
const url = (path: string) => `https://localhost:${port}${path}`

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let admin: Cluster
  let own: Cluster
  let stop = new AbortController()
  let leads = true
  const lines: Record<string, unknown>[] = []
  const logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) })

  beforeAll(async () => {
    server = await RealApiServer.start({ controller: 'metallb' })
    admin = server.cluster()
    own = server.cluster('controller')
    await admin.request({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: namespace } },
    })
    await admin.request({ method: 'POST', path: `${rbac}/clusterroles`, body: clusterRole })
    await admin.request({ method: 'POST', path: `${rbac}/clusterrolebindings`, body: binding })
    for (const resource of metallbResources) {
      const manifest = crdManifest(resource)
      await admin.create(
        conversion.type,
        resource.kind === 'BGPPeer' ? upstreamPeer(manifest) : { ...manifest },
      )
    }
    await admin.create(validation.type, validating)
  }, 90_000)

  afterAll(async () => {
    stop.abort()
    own?.close()
    admin?.close()
    await server?.stop()
  })

  function start(): { readonly ended: Promise<void>; readonly served: Promise<void> } {
    stop = new AbortController()
    const { signal } = stop
    const name = 'metallb-webhook-cert'
    const mayWrite = () => leads
    const shared = { cluster: own, logger, mayWrite }
    const certificate = secretOf({
      ...shared,
      namespace,
      name,
      names: ['metallb-webhook-service.metallb-system.svc'],
    })
    const webhooks = new Webhooks({ ...shared, signal, certificate, address: '::', port, tls: defaultTls })
    const served = Promise.withResolvers<void>()
    const ended = webhooks.run((look) => look === 'served' && served.resolve())
    return { ended, served: served.promise }
  }

  const pool = (name: string) => ({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { namespace, name },
    spec: { addresses: ['192.0.2.0/28'] },
  })
  const create = (object: RawObject) => {
    const plural = `${object.kind}s`.toLowerCase()
    return eventually(() =>
      admin.request({
        method: 'POST',
        path: `/apis/${object.apiVersion}/namespaces/${namespace}/${plural}`,
        body: object,
      }),
    )
  }
  const peer = (version: string, name: string) =>
    eventually(() =>
      admin.request({
        method: 'GET',
        path: `/apis/metallb.io/${version}/namespaces/${namespace}/bgppeers/${name}`,
      }),
    )

  it('a registration without an answer refuses each pool', async () => {
    const path = `/apis/metallb.io/v1beta1/namespaces/${namespace}/ipaddresspools`
    const body = pool('early')
    await eventually(() =>
      expect(admin.request({ method: 'POST', path, body })).rejects.toThrow(/failed calling webhook/),
    )
  })

  it('makes the certificate, writes the trust, and lets pools and peers through', async () => {
    await start().served
    await create(pool('first'))
    const spec = {
      myASN: 64500,
      peerASN: 64501,
      peerAddress: '192.0.2.1',
      sourceAddress: '192.0.2.2',
      peerPort: 1790,
      holdTime: '9s',
      keepaliveTime: '3s',
      routerID: '192.0.2.3',
      nodeSelectors: [{ matchLabels: { a: 'b' } }],
      password: 'secret',
      bfdProfile: 'fast',
      ebgpMultiHop: true,
    }
    const metadata = { namespace, name: 'old' }
    await create({ apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata, spec })
    for (const version of ['v1beta1', 'v1beta2']) {
      const read = await peer(version, 'old')
      expect(read.apiVersion).toBe(`metallb.io/${version}`)
      expect(read['spec']).toMatchObject(spec)
    }
    const { password: _, ...known } = spec
    const rest = { ...known, passwordSecret: { name: 's' }, vrf: 'red', connectTime: '10s' }
    const named = { namespace, name: 'new' }
    await create({ apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', metadata: named, spec: rest })
    expect((await peer('v1beta2', 'new'))['spec']).toMatchObject(rest)
    expect((await peer('v1beta1', 'new'))['spec']).toMatchObject(known)
  })

  it('another replica shows the same certificate and writes nothing', async () => {
    const before = await dataNow()
    stop.abort()
    leads = false
    await start().served
    expect(await dataNow()).toEqual(before)
    await create(pool('second'))
  })

  it('the leader alone renews what has been broken, under the authority that is trusted', async () => {
    stop.abort()
    const secret = await admin.get(secretType, `${namespace}/metallb-webhook-cert`)
    const { 'tls.crt': _, ...data } = { ...(await dataNow()) }
    await admin.update(secretType, { ...secret, data })
    const run = start()
    await eventually(async () => expect(lines.some((line) => line['event'] === 'webhookWaits')).toBe(true))
    leads = true
    await run.served
    const after = await dataNow()
    expect(after['ca.crt']).toBe(data['ca.crt'])
    await create(pool('third'))
  })

  it('writes the trust again where a manifest took it out, and stops serving when nothing is registered', async () => {
    const raw = await admin.get(validation.type, validation.name)
    await admin.update(validation.type, validation.trusting(raw, ''))
    stop.abort()
    await start().served
    await create(pool('fourth'))
    await admin.delete(validation.type, validation.name)
    const definition = await admin.get(conversion.type, conversion.name)
    const spec = { ...(definition['spec'] as object), conversion: { strategy: 'None' } }
    await admin.update(conversion.type, { ...definition, spec })
    stop.abort()
    const { ended } = start()
    await eventually(() =>
      fetch(url('/convert')).then(
        () => Promise.reject(new Error('still served')),
        () => {},
      ),
    )
    stop.abort()
    await ended
    expect((await create(pool('fifth'))).metadata.name).toBe('fifth')
  })

  async function dataNow(): Promise<Readonly<Record<string, string>>> {
    const { data } = await admin.get(secretType, `${namespace}/metallb-webhook-cert`)
    return data as Readonly<Record<string, string>>
  }
})

/** What was just written reaches the API server's own caches a moment later. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + 30_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const allVerbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
/** What MetalLB's manifests grant to the controller of what is used here. */
const clusterRole = {
  metadata: { name: 'metallb-system:controller' },
  rules: [
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations'],
      resourceNames: [validation.name],
      verbs: allVerbs,
    },
    {
      apiGroups: ['apiextensions.k8s.io'],
      resources: ['customresourcedefinitions'],
      resourceNames: [conversion.name],
      verbs: allVerbs,
    },
    { apiGroups: [''], resources: ['secrets'], verbs: allVerbs },
  ],
}
const binding = {
  metadata: { name: 'metallb-system:controller' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'metallb-system:controller' },
  subjects: [{ kind: 'User', name: 'controller' }],
}

const validating: RawObject = {
  metadata: { name: validation.name },
  webhooks: [
    ['ipaddresspool', 'v1beta1'],
    ['bgppeer', 'v1beta2'],
  ].map(([kind, version]) => ({
    name: `${kind}validationwebhook.metallb.io`,
    admissionReviewVersions: ['v1'],
    clientConfig: { url: url(`/validate-metallb-io-${version}-${kind}`) },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    rules: [
      {
        apiGroups: ['metallb.io'],
        apiVersions: [version],
        operations: ['CREATE', 'UPDATE'],
        resources: [`${kind}s`],
      },
    ],
  })),
}

const onlyNewer = [
  'passwordSecret',
  'vrf',
  'dynamicASN',
  'interface',
  'connectTime',
  'enableGracefulRestart',
  'disableMP',
  'dualStackAddressFamily',
  'localASN',
]

/** MetalLB's definition: v1beta1 lacks fields, and the conversion is by webhook. */
function upstreamPeer(manifest: object): RawObject {
  const raw: Definition = structuredClone(manifest) as Definition
  const old = raw.spec.versions.find(({ name }) => name === 'v1beta1')?.schema.openAPIV3Schema.properties.spec
  if (old === undefined) throw new Error('no v1beta1')
  delete old['x-kubernetes-validations']
  for (const field of onlyNewer) delete old.properties[field]
  const webhook = { clientConfig: { url: url('/convert') }, conversionReviewVersions: ['v1beta1', 'v1'] }
  return { ...raw, spec: { ...raw.spec, conversion: { strategy: 'Webhook', webhook } } }
}

interface Definition extends RawObject {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string
      readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: PeerSchema } } }
    }[]
  }
}

interface PeerSchema {
  readonly properties: Record<string, unknown>
  'x-kubernetes-validations'?: unknown
}
