/**
 * The definitions as `kubectl apply` brings them to a real API server: that it takes them, that BGPPeer loses nothing
 * between its versions, and that MetalLB's conversion webhook goes when ours are applied over its own.
 */
import { fileURLToPath } from 'node:url'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crdManifest, metallbResources, projectcontourResources } from './index.ts'

const folder = fileURLToPath(new URL('../../../../manifests/crds/', import.meta.url))
const peerFile = `${folder}metallb.io_bgppeers.yaml`
const all = [...metallbResources, ...projectcontourResources]

type Json = Readonly<Record<string, unknown>>

/** Every field that a BGPPeer has, as far as they may stand together. */
const whole = {
  bfdProfile: 'fast',
  connectTime: '7s',
  disableMP: true,
  dualStackAddressFamily: true,
  ebgpMultiHop: true,
  enableGracefulRestart: true,
  holdTime: '1m30s',
  keepaliveTime: '30s',
  localASN: 4200000001,
  myASN: 4200000000,
  nodeSelectors: [
    { matchLabels: { rack: 'a' }, matchExpressions: [{ key: 'b', operator: 'In', values: ['c', 'd'] }] },
    { matchExpressions: [{ key: 'e', operator: 'DoesNotExist' }] },
  ],
  passwordSecret: { name: 'key', namespace: 'default' },
  peerASN: 4294967295,
  peerAddress: '2001:db8::1',
  peerPort: 1179,
  routerID: '192.0.2.1',
  sourceAddress: '2001:db8::2',
  vrf: 'red',
}
/** What excludes something of the other. */
const others = {
  disableMP: false,
  dualStackAddressFamily: false,
  dynamicASN: 'external',
  interface: 'eth0',
  myASN: 1,
  password: 'secret',
  peerPort: 179,
}
/** As v1beta1 was written: with port 0, and with times that Go fills in. */
const old = {
  bfdProfile: 'fast',
  ebgpMultiHop: true,
  holdTime: '0s',
  keepaliveTime: '0s',
  myASN: 64500,
  nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: ['a'] }] }],
  password: 'secret',
  peerASN: 64501,
  peerAddress: '192.0.2.1',
  peerPort: 0,
  routerID: '192.0.2.9',
  sourceAddress: '192.0.2.2',
}
const filledIn = { disableMP: false, dualStackAddressFamily: false }

describe.skipIf(withoutApiServer())('on a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer

  beforeAll(async () => {
    server = await RealApiServer.start()
  }, 90_000)
  afterAll(async () => {
    await server?.stop()
  })

  const kubectl = (args: readonly string[], input?: object) =>
    server.run(args, input && JSON.stringify(input))
  const established = (name: string) =>
    kubectl(['wait', '--for=condition=Established', '--timeout=30s', `crd/${name}`])
  const read = async (what: readonly string[]): Promise<Json> =>
    JSON.parse(await kubectl(['get', ...what, '-o', 'json'])) as Json
  const peerIn = (version: string, name: string) => read([`bgppeers.${version}.metallb.io`, name])

  /** Served in this version: a definition takes a moment. */
  async function untilServed(version: string, name: string): Promise<Json> {
    const end = performance.now() + 30_000
    for (;;) {
      const seen = await peerIn(version, name).catch((error: unknown) => error)
      if (!(seen instanceof Error)) return seen as Json
      if (performance.now() > end) throw seen
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  test('takes every definition, twice, and finds nothing wrong with a schema', async () => {
    const names = all.map(({ plural, group }) => `${plural}.${group}`)
    await kubectl(['apply', '-f', folder])
    for (const name of names) await established(name)
    const generations = async () =>
      Promise.all(names.map(async (name) => ((await read(['crd', name]))['metadata'] as Json)['generation']))
    const before = await generations()
    await kubectl(['apply', '-f', folder])
    expect(await generations()).toEqual(before)
    for (const name of names) {
      const { status } = (await read(['crd', name])) as {
        readonly status: { conditions: { type: string; status: string }[] }
      }
      const states = status.conditions.map(({ type, status: is }) => `${type} ${is}`).toSorted()
      expect(states).toEqual(['Established True', 'NamesAccepted True'])
    }
  })

  test.each([
    ['every field', 'v1beta2', 'v1beta1', whole, whole],
    ['the fields that exclude those', 'v1beta2', 'v1beta1', others, others],
    ['the spellings of v1beta1', 'v1beta1', 'v1beta2', old, { ...old, ...filledIn }],
  ])('BGPPeer: %s, from %s to %s and back', async (_, from, to, spec, stored) => {
    const name = `peer-${from}-${Object.keys(spec).length}`
    const metadata = { name, labels: { kept: 'yes' } }
    await server.kubectl(['delete', '--ignore-not-found', 'bgppeer', name])
    await created({ apiVersion: `metallb.io/${from}`, kind: 'BGPPeer', metadata, spec })
    const first = await peerIn(from, name)
    expect(first['spec']).toEqual(stored)
    const other = await peerIn(to, name)
    expect(other['apiVersion']).toBe(`metallb.io/${to}`)
    expect(other['spec']).toEqual(stored)
    // Written back in the other version as it was read, and with a change of something else.
    await kubectl(['replace', '-f', '-'], other)
    expect((await peerIn(from, name))['spec']).toEqual(stored)
    await kubectl(['label', `bgppeers.${to}.metallb.io`, name, 'kept=changed', '--overwrite'])
    const last = await peerIn(from, name)
    expect(last['spec']).toEqual(stored)
    expect(last['apiVersion']).toBe(`metallb.io/${from}`)
  })

  test('every field of the schema is among those tried', () => {
    const schema = JSON.stringify(crdManifest(all.filter(({ kind }) => kind === 'BGPPeer')[0] ?? failed()))
    const { spec } = JSON.parse(schema) as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Json } } } } }[] }
    }
    const tried = new Set([whole, others, old].flatMap((one) => Object.keys(one)))
    for (const { schema: version } of spec.versions)
      expect(
        Object.keys(version.openAPIV3Schema.properties.spec.properties).filter((key) => !tried.has(key)),
      ).toEqual([])
  })

  /** As MetalLB's manifests have it, before its controller put the bundle in. */
  function withWebhook(): object {
    const manifest = crdManifest(all.filter(({ kind }) => kind === 'BGPPeer')[0] ?? failed())
    const service = { namespace: 'metallb-system', name: 'metallb-webhook-service', path: '/convert' }
    const webhook = { clientConfig: { service }, conversionReviewVersions: ['v1beta1', 'v1beta2'] }
    const spec = {
      ...manifest.spec,
      preserveUnknownFields: false,
      conversion: { strategy: 'Webhook', webhook },
    }
    return { ...manifest, spec }
  }

  /** As MetalLB's controller does, under a name of its own. */
  async function injectBundle(): Promise<void> {
    const bundle = server.access().tls().ca
    const path = '/spec/conversion/webhook/clientConfig/caBundle'
    const value = Buffer.from(String(bundle)).toString('base64')
    const patch = JSON.stringify([{ op: 'add', path, value }])
    await kubectl([
      'patch',
      'crd',
      'bgppeers.metallb.io',
      '--field-manager=cert-rotator',
      '--type=json',
      '-p',
      patch,
    ])
  }

  test.each([
    ['created with kubectl apply', ['apply', '-f', '-'], ['apply', '-f', peerFile]],
    [
      'created with kubectl create, without the annotation of an apply',
      ['create', '-f', '-'],
      ['apply', '-f', peerFile],
    ],
    [
      'created with kubectl create --save-config',
      ['create', '--save-config', '-f', '-'],
      ['apply', '-f', peerFile],
    ],
    [
      'created with kubectl apply --server-side, ours without',
      ['apply', '--server-side', '-f', '-'],
      ['apply', '-f', peerFile],
    ],
  ])('over a conversion webhook with a bundle, %s', async (_, before, ours) => {
    const crd = 'bgppeers.metallb.io'
    await kubectl(['delete', '--ignore-not-found', 'crd', crd])
    await kubectl(before, withWebhook())
    await established(crd)
    const made = {
      apiVersion: 'metallb.io/v1beta2',
      kind: 'BGPPeer',
      metadata: { name: 'peer' },
      spec: whole,
    }
    await injectBundle()
    await created(made)
    expect(await server.kubectl(['get', 'bgppeers.v1beta1.metallb.io', 'peer'])).toMatchObject({ ok: false })
    await kubectl(ours)
    const { spec } = (await read(['crd', crd])) as { readonly spec: Json }
    expect(spec['conversion']).toEqual({ strategy: 'None' })
    expect((await untilServed('v1beta1', 'peer'))['spec']).toEqual(whole)
  })

  test('an apply on the server keeps the webhook of another, and is refused until one command has taken it away', async () => {
    const crd = 'bgppeers.metallb.io'
    const ours = ['apply', '--server-side', '--force-conflicts', '-f', peerFile]
    await kubectl(['delete', '--ignore-not-found', 'crd', crd])
    await kubectl(['apply', '--server-side', '-f', '-'], withWebhook())
    await established(crd)
    await injectBundle()
    const { ok, stderr } = await server.kubectl(ours)
    expect(ok).toBe(false)
    expect(stderr).toContain('should not be set when strategy is not set to Webhook')
    const none = JSON.stringify({ spec: { conversion: { strategy: 'None', webhook: null } } })
    await kubectl(['patch', 'crd', crd, '--type=merge', '-p', none])
    await kubectl(ours)
    await created({
      apiVersion: 'metallb.io/v1beta2',
      kind: 'BGPPeer',
      metadata: { name: 'peer' },
      spec: whole,
    })
    expect((await untilServed('v1beta1', 'peer'))['spec']).toEqual(whole)
  })

  test('an object that looser definitions took is kept, and its status can be written', async () => {
    const pools = crdManifest(all.filter(({ kind }) => kind === 'IPAddressPool')[0] ?? failed())
    const loose = JSON.stringify(pools, (key, value: unknown) =>
      key === 'x-kubernetes-validations' || key === 'minItems' ? undefined : value,
    )
    await kubectl(['delete', '--ignore-not-found', 'crd', 'ipaddresspools.metallb.io'])
    await kubectl(['apply', '-f', '-'], JSON.parse(loose) as object)
    await established('ipaddresspools.metallb.io')
    const spec = { addresses: ['192.0.2.1'], autoAssign: true, avoidBuggyIPs: false }
    await created({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'old' },
      spec,
    })
    await kubectl(['apply', '-f', `${folder}metallb.io_ipaddresspools.yaml`])
    await refused({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'new' },
      spec,
    })
    const status = JSON.stringify({ status: { assignedIPv4: 1 } })
    await kubectl(['patch', 'ipaddresspool', 'old', '--subresource=status', '--type=merge', '-p', status])
    const old = await read(['ipaddresspool', 'old'])
    expect([old['spec'], old['status']]).toMatchObject([spec, { assignedIPv4: 1 }])
  })

  /** The new definition takes a moment. */
  async function refused(object: object): Promise<void> {
    const end = performance.now() + 30_000
    while ((await server.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(object))).ok) {
      if (performance.now() > end) throw new Error('it is still taken')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async function created(object: object): Promise<void> {
    const end = performance.now() + 30_000
    for (;;) {
      const { ok, stderr } = await server.kubectl(['create', '-f', '-'], JSON.stringify(object))
      if (ok) return
      if (performance.now() > end) throw new Error(stderr)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
})

function failed(): never {
  throw new Error('there is no BGPPeer')
}
