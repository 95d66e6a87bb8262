/** 3.9: the bundles of the images under Node 22, the last line of Node with a build for 32-bit ARM. */
import { accessSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { provideBundles } from '../nodeless/bundles.ts'
import { runProgram, writeKubeconfig } from './program.ts'

const node = join(import.meta.dirname, '..', 'node_modules', 'node-22', 'bin', 'node')
const namespace = 'metallb-system'

/** The package is for amd64 alone. */
const mayBeMissing = process.env['LANDFALL_NO_SKIP'] !== '1' || process.arch !== 'x64'
const skipped = withoutApiServer() || (mayBeMissing && !existsSync(node))

describe.skipIf(skipped)('under Node 22', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let bundles: string
  let folder: string
  let kubeconfig: string

  beforeAll(async () => {
    accessSync(node)
    folder = mkdtempSync(join(tmpdir(), 'landfall-node-22-'))
    server = await RealApiServer.start()
    bundles = await provideBundles()
    kubeconfig = `--kubeconfig=${writeKubeconfig(server, folder)}`
  }, 120_000)

  afterAll(async () => {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  const program = (name: string, ...args: readonly string[]) => [node, join(bundles, `${name}.mjs`), ...args]

  it.each(['controller', 'speaker', 'contour', 'landfall', 'lokoctl'])(
    '%s says its version',
    async (name) => {
      expect(await runProgram(program(name, '--version'))).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        stderr: '',
      })
    },
  )

  it('controller gives a Service its address', async () => {
    await server.apply(...metallbResources.map((one) => crdManifest(one)))
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await server.apply({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { namespace, name: 'default' },
      spec: { addresses: ['192.168.2.10/32'] },
    })
    await server.run(['delete', 'service', 'one', '--ignore-not-found'])
    await server.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 'one' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
    const flags = ['--port=0', '--health-probe-port=0', `--namespace=${namespace}`]
    const { code, stderr } = await runProgram(program('controller', kubeconfig, ...flags), '"ipAllocated"')
    expect([code, stderr]).toEqual([0, ''])
    const path = '-o=jsonpath={.status.loadBalancer.ingress[0].ip}'
    expect(await server.run(['get', 'service', 'one', path])).toBe('192.168.2.10')
  })

  it('speaker starts, with what it asks of the kernel', async () => {
    // In a network of its own: the API server is not there.
    const apart = ['unshare', '--net', ...program('speaker', kubeconfig, '--node-name=n1')]
    const { code, stdout, stderr } = await runProgram(apart, '"watchFailed"')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('"msg":"speaker is running"')
  })

  it('status is told', async () => {
    const { code, stdout, stderr } = await runProgram(program('landfall', 'status', kubeconfig))
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(/default\/one +192\.168\.2\.10 +default/)
  })
})
