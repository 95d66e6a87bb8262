/** `landfall migrate` from a cluster: what it prints is taken by that cluster's own API server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printMigration, readInput } from './migration.ts'

const namespace = 'metallb-system'
const text = 'address-pools: [{name: Old, protocol: bgp, addresses: [192.0.2.0/24]}]'

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let folder: string
  let kubeconfig: string

  beforeAll(async () => {
    server = await RealApiServer.start()
    folder = mkdtempSync(join(tmpdir(), 'landfall-migrate-'))
    kubeconfig = join(folder, 'kubeconfig')
    writeFileSync(kubeconfig, server.kubeconfig())
    const items = [
      ...metallbResources.map(crdManifest),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'old' }, data: { config: text } },
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: 'n1',
          labels: {
            'kubernetes.io/hostname': 'n1',
            'metallb.universe.tf/my-asn': '65000',
            'metallb.universe.tf/peer-asn': '65001',
            'metallb.universe.tf/peer-address': '198.51.100.1',
          },
        },
      },
    ]
    await server.apply(...items)
  }, 90_000)

  afterAll(async () => {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('reads ConfigMap and Nodes, and prints objects that can be applied', async () => {
    const printed = printMigration(await readInput({ kubeconfig, namespace, config: 'old' }))
    expect(printed).toContain('# pool "Old" is named old\n')
    expect(printed).toContain('as the Nodes are now')
    const applied = (await server.run(['apply', '-f', '-'], printed)).trim().split('\n')
    expect(applied.toSorted((a, b) => a.localeCompare(b))).toEqual([
      expect.stringMatching(/^bgpadvertisement\.metallb\.io\/\S+ created$/),
      expect.stringMatching(/^bgppeer\.metallb\.io\/\S+ created$/),
      'ipaddresspool.metallb.io/old created',
    ])
    const columns = '-o=custom-columns=A:.spec.myASN,B:.spec.peerASN,C:.spec.peerAddress'
    const peers = await server.run(['get', 'bgppeers', '-n', namespace, '--no-headers', columns])
    expect(peers.trim()).toMatch(/^65000 +65001 +198\.51\.100\.1$/)
  })

  it('says that there is none where there is none', async () => {
    await expect(readInput({ kubeconfig, namespace, config: 'none' })).rejects.toThrow(/none/)
  })
})
