/**
 * Manifests of other releases of MetalLB and of Contour, with nothing but `image:` changed, under exactly their roles and
 * held to their limits of processor time: each serves, and none of its containers ends. So do those in which FRR spoke BGP,
 * as `landfall migrate manifests` prints them. v0.7.3 and v0.16 are looked at closer in 10-foreign-roles.test.ts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { canLimit, cpuLimitOf } from '../cgroup/limited-group.ts'
import { siteObjects } from '../demo/site.ts'
import { contour } from '../foreign/contour.ts'
import { definitions } from '../foreign/definitions.ts'
import { legacyConfig, metallb07 } from '../foreign/metallb-0-7.ts'
import { metallb012 } from '../foreign/metallb-0-12.ts'
import { type Flavour, metallb016Frr } from '../foreign/metallb-0-16-frr.ts'
import { namespaceAndAccounts, system } from '../foreign/objects.ts'
import { webhooks } from '../foreign/webhooks.ts'
import { createLab, type KubernetesObject, type Lab, type Manifest } from '../lab/index.ts'
import { labPaths } from '../lab/state/lab-state.ts'
import { migrated } from '../seeds/migrated-manifests.ts'
import { makeAuthority } from './certificate.ts'
import { broken } from './invariants.ts'
import { echo, namespaceObject, type ProxyObject, proxy } from './site.ts'

const namespace = 'shop'
const address = '192.168.77.200'
const range = `${address}-192.168.77.210`
const host = 'tea.example.com'
const secureHost = 'secure.example.com'

const layer2 = `address-pools:\n- name: default\n  protocol: layer2\n  addresses:\n  - ${range}\n`
const arp = [
  'address-pools:',
  '- name: default',
  '  protocol: arp',
  '  arp-network: 192.168.77.0/24',
  '  cidr:',
  `  - ${address}/29`,
  '',
].join('\n')

interface Release {
  readonly name: string
  readonly objects: readonly Manifest[]
  readonly configuration: readonly Manifest[]
  /** Heartbeats are authenticated. */
  readonly key: boolean
}

/** Those before v0.10 have limits: 100m and 100Mi. */
const limited = ['v0.4.6', 'v0.7.3', 'v0.8.3', 'v0.9']
const cpuLimits = canLimit({ kind: 'cpu', cores: 0.1 })
if (!cpuLimits) process.stdout.write('no cgroups can be made here: limits of processor time are not held\n')

const releases: readonly Release[] = [
  { name: 'v0.4.6', objects: metallb07('v0.4.6'), configuration: [legacyConfig(arp)], key: false },
  { name: 'v0.7.3', objects: metallb07('v0.7.3'), configuration: [legacyConfig(layer2)], key: false },
  { name: 'v0.8.3', objects: metallb07('v0.8.3'), configuration: [legacyConfig(layer2)], key: false },
  { name: 'v0.9', objects: metallb012('v0.9'), configuration: [legacyConfig(layer2)], key: true },
  { name: 'v0.12', objects: metallb012('v0.12'), configuration: [legacyConfig(layer2)], key: true },
  { name: 'v0.13', objects: metallb012('v0.13'), configuration: pool(), key: true },
]

/** Of MetalLB v0.16, in which FRR speaks BGP. */
const flavours: readonly Flavour[] = ['frr', 'frr-k8s']

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

/** What `landfall status` says. */
interface Looked {
  readonly ok: boolean
  readonly findings: readonly { readonly severity: string }[]
  readonly services: readonly object[]
  readonly pools: readonly object[]
}

interface PodObject extends KubernetesObject {
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly { readonly restartCount: number }[]
  }
}

describe('manifests of other releases', () => {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-releases-'))
  let lab: Lab

  beforeAll(async () => {
    lab = await createLab({ nodes: 3, cpuLimits })
    await lab.apply([
      namespaceObject(namespace),
      ...echo(namespace, 'web', { replicas: 2, service: { type: 'LoadBalancer' } }),
    ])
  })

  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await lab?.down()
  })

  describe.each(releases)('MetalLB $name', ({ name, objects, configuration, key }) => {
    const withObjects = name === 'v0.13'
    let crds: readonly Manifest[] = []

    beforeAll(async () => {
      if (withObjects) {
        const { pem } = await makeAuthority()
        crds = definitions(pem)
        await lab.apply([...namespaceAndAccounts({}), ...crds, ...webhooks('webhook-service')])
        await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
      }
      await lab.apply(objects)
      await lab.waitFor('its configuration to be taken', async () => {
        const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: configuration })
        return (await lab.tryKubectl(['apply', '-f', '-'], { input })).code === 0
      })
    })

    afterAll(async () => {
      await lab.delete([...objects, ...(withObjects ? webhooks('webhook-service') : [])])
      if (withObjects) await lab.delete(crds)
    })

    it('gives the address, announces it from one node, and traffic passes', async () => {
      await lab.waitFor(
        `${address} to answer`,
        async () => (await lab.client.curl(`http://${address}/`).catch(() => undefined))?.status === 200,
        { timeoutMs: 60_000 },
      )
      await lab.waitFor('an answer to ARP', async () => (await lab.client.arping(address)).length > 0)
      expect(new Set(await lab.client.arping(address, { count: 3 })).size).toBe(1)
      const service = await lab.get<ServiceObject>('service', 'web', namespace)
      expect(service?.status?.loadBalancer?.ingress).toMatchObject([{ ip: address }])
    })

    it('has a status in which nothing is wrong, by the metrics of the speakers', async () => {
      const { bundles, kubeconfig } = labPaths(lab.id)
      const status = [process.execPath, join(bundles, 'landfall.mjs'), 'status', '-o', 'json']
      const look = async (): Promise<Looked> => {
        const { stdout } = await lab.client.tryRun([...status, '--kubeconfig', kubeconfig])
        return JSON.parse(stdout)
      }
      await lab
        .waitFor('nothing to be wrong', async () => (await look()).ok, { timeoutMs: 60_000 })
        .catch(() => 'said below')
      const found = await look()
      expect(found.findings.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(found.services).toEqual([
        expect.objectContaining({
          name: `${namespace}/web`,
          addresses: [address],
          announced: [expect.stringMatching(/^layer 2: n\d$/)],
        }),
      ])
      expect(found.pools).toMatchObject([{ name: 'default', ipv4: { assigned: 1 } }])
    })

    it(`has heartbeats ${key ? 'with a key' : 'that are believed by source'}, and metrics where it says`, async () => {
      for (const node of lab.nodes) {
        const metrics = async () => (await lab.controlPlane.curl(`http://${node.ipv4}:7472/metrics`)).body
        expect(await metrics()).toContain(`landfall_layer2_heartbeats_authenticated_bool ${key ? 1 : 0}\n`)
        await expect.poll(metrics).toContain('landfall_layer2_members{state="serving"} 2\n')
      }
      await isWhole(system, 4)
    })

    const cores = cpuLimits && limited.includes(name) ? 0.1 : undefined

    // A run that is limited itself passes that on.
    const given = cores ?? cpuLimitOf(process.pid)

    it(`stays below 100 MiB${cores === undefined ? '' : ', with a tenth of a core'}`, async () => {
      const pods = await lab.list<PodObject>('pods', { namespace: system })
      expect(pods).toHaveLength(4)
      for (const { metadata } of pods) {
        const container = metadata.name.split('-')[0] ?? ''
        const { peak } = lab.pods.memory(system, metadata.name, container)
        const had = cpuLimitOf(lab.pods.process(system, metadata.name, container)?.pid ?? 0)
        expect([metadata.name, had, peak < 100 * 2 ** 20]).toEqual([metadata.name, given, true])
      }
    })

    it('keeps what always holds', async () => expect(await broken(lab)).toEqual([]))
  })

  describe.each(flavours)('MetalLB v0.16, %s, as landfall migrate manifests prints it', (flavour) => {
    let objects: readonly Manifest[] = []

    beforeAll(async () => {
      const { pem } = await makeAuthority()
      const landfall = [process.execPath, join(labPaths(lab.id).bundles, 'landfall.mjs')]
      objects = migrated(landfall, [...definitions(pem), ...metallb016Frr(flavour)]).objects
      const [first, crds] = ['Namespace', 'CustomResourceDefinition'].map((wanted) =>
        objects.filter(({ kind }) => kind === wanted),
      )
      await lab.apply([...(first ?? []), ...(crds ?? [])])
      await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
      await lab.apply(objects)
      await lab.apply(siteObjects(lab))
    })

    afterAll(() => lab.delete(objects))

    it('announces by ARP and BGP, with no FRR and no webhook', async () => {
      await lab.waitFor(
        `${address} to answer`,
        async () => (await lab.client.curl(`http://${address}/`).catch(() => undefined))?.status === 200,
        { timeoutMs: 60_000 },
      )
      await lab.waitFor('an answer to ARP', async () => (await lab.client.arping(address)).length > 0)
      const nodes = lab.nodes.map(({ ipv4 }) => ipv4).toSorted()
      for (const router of lab.routers) {
        const hops = async () => (await router.nextHops(`${address}/32`)).map(({ ip }) => ip).toSorted()
        await expect.poll(hops, { timeout: 60_000 }).toEqual(nodes)
      }
      await isWhole(system, 4)
    })

    it('keeps what always holds', async () => expect(await broken(lab)).toEqual([]))
  })

  describe.each(['v1.20', 'v1.33'] as const)('Contour %s', (release) => {
    const objects = contour(release)

    beforeAll(async () => {
      await lab.apply(contourDefinitions())
      await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
      await lab.apply(objects)
      await lab.apply([
        proxy(namespace, 'web', {
          virtualhost: { fqdn: host },
          routes: [{ services: [{ name: 'web', port: 80 }] }],
        }),
      ])
    })

    afterAll(async () => {
      await lab.delete(objects)
      await lab.delete(contourDefinitions())
    })

    it('serves on the ports of every node, and writes statuses', async () => {
      for (const node of lab.nodes) {
        await lab.waitFor(
          `${node.name} to serve`,
          async () =>
            (await lab.client.curl(`http://${node.ipv4}/`, { host }).catch(() => undefined))?.status === 200,
          { timeoutMs: 60_000 },
        )
      }
      const status = async () =>
        (await lab.get<ProxyObject>('httpproxy', 'web', namespace))?.status?.currentStatus
      await expect.poll(status, { timeout: 30_000 }).toBe('valid')
      await isWhole('projectcontour', 2 + lab.nodes.length)
    })

    it('serves HTTPS with the certificate of a Secret, verified', async () => {
      const authority = await makeAuthority()
      const cacert = join(folder, 'ca.crt')
      writeFileSync(cacert, authority.pem)
      await lab.apply([
        await authority.issue(namespace, 'secure', secureHost),
        proxy(namespace, 'secure', {
          virtualhost: { fqdn: secureHost, tls: { secretName: 'secure' } },
          routes: [{ services: [{ name: 'web', port: 80 }] }],
        }),
      ])
      for (const { name, ipv4 } of lab.nodes) {
        const ask = () => lab.client.curl(`https://${secureHost}/`, { resolve: ipv4, cacert })
        const answered = async () => (await ask().catch(() => undefined))?.status === 200
        await lab.waitFor(`${name} to serve HTTPS`, answered, { timeoutMs: 60_000 })
      }
      const plain = async () => {
        const answer = await lab.client.curl(`http://${lab.nodes[0]?.ipv4}/`, { host: secureHost })
        return [answer.status, answer.headers['location']]
      }
      await expect.poll(plain).toEqual([301, [`https://${secureHost}/`]])
    })

    it('keeps what always holds', async () => expect(await broken(lab)).toEqual([]))
  })

  /** So many pods, and no container of them ended. */
  async function isWhole(where: string, count: number): Promise<void> {
    const pods = (await lab.list<PodObject>('pods', { namespace: where })).filter(
      ({ status }) => status?.phase === 'Running',
    )
    expect(pods).toHaveLength(count)
    for (const { status } of pods)
      for (const { restartCount } of status?.containerStatuses ?? []) expect(restartCount).toBe(0)
  }
})

function contourDefinitions(): readonly Manifest[] {
  const file = join(import.meta.dirname, '..', '..', 'manifests', 'contour.yaml')
  return parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document): Manifest => document.toJS())
    .filter((one) => one['kind'] === 'CustomResourceDefinition')
}

function pool(): readonly Manifest[] {
  const metadata = { name: 'default', namespace: system }
  return [
    { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec: { addresses: [range] } },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata, spec: {} },
  ]
}
