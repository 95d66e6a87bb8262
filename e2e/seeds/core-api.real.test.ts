/** 1.16: an API server that has little more than Kubernetes 1.9 had: no EndpointSlices, no Leases, no newer events. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { BarePeer } from '@landfall/speaker/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Passage } from './passage.ts'
import { runProgram, writeKubeconfig } from './program.ts'

const entry = (name: string) =>
  fileURLToPath(new URL(`../../packages/cli/src/entry/${name}.ts`, import.meta.url))
const away = ['discovery.k8s.io/v1', 'coordination.k8s.io/v1', 'events.k8s.io/v1']
const metadata = { namespace: 'metallb-system', name: 'config' }
const address = '192.168.2.10'
const config = `address-pools:
- name: default
  protocol: bgp
  addresses: [${address}/32]
`

describe.skipIf(withoutApiServer())('without newer groups', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'landfall-core-api-'))
    server = await RealApiServer.start({}, [
      `--runtime-config=${away.map((group) => `${group}=false`).join(',')}`,
    ])
  }, 120_000)

  afterAll(async () => {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('1.16: the controller gives a Service its address by the ConfigMap, and an Event', async () => {
    for (const group of away)
      expect((await server.kubectl(['get', '--raw', `/apis/${group}`])).ok).toBe(false)
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata.namespace } })
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config } })
    await server.run(['delete', 'service', 'one', '--ignore-not-found'])
    await server.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 'one' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
    const program = [process.execPath, '--disable-warning=ExperimentalWarning', entry('controller')]
    const kubeconfig = `--kubeconfig=${writeKubeconfig(server, folder)}`
    const flags = ['--port=0', '--health-probe-port=0', `--namespace=${metadata.namespace}`]
    const { code, stderr } = await runProgram([...program, kubeconfig, ...flags], '"ipAllocated"')
    expect([code, stderr]).toEqual([0, ''])
    const path = '-o=jsonpath={.status.loadBalancer.ingress[0].ip}'
    expect(await server.run(['get', 'service', 'one', path])).toBe(address)
    const reasons = '-o=jsonpath={.items[*].reason}'
    expect(await server.run(['get', 'events', reasons])).toContain('IPAllocated')
  })

  it('1.16: the speaker announces it over a session, once Endpoints say that the node has one', async () => {
    const peer = await BarePeer.listen({ asn: 65_530 })
    const passage = await Passage.open(folder, [Number(server.access().server.port), peer.port])
    const [route, lines] = [`${address}/32`, [] as string[]]
    const peers = `peers:\n- { peer-address: 127.0.0.1, peer-port: ${peer.port}, peer-asn: 65530, my-asn: 65000 }\n`
    const kubeconfig = `--kubeconfig=${writeKubeconfig(server, folder)}`
    const flags = ['--node-name=n1', '--port=0', '--health-probe-port=0', `--namespace=${metadata.namespace}`]
    const argv = passage.through(entry('speaker'), kubeconfig, ...flags)
    try {
      const status = { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] }
      await server.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status })
      await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config: config + peers } })
      await server.run(['delete', 'endpoints', 'one', '--ignore-not-found'])
      const ended = runProgram(argv, '"serviceAnnounced"', (line) => lines.push(line))
      await expect.poll(() => lines.join('\n')).toContain('"sessionUp"')
      expect([...peer.routes]).toEqual([])
      const addresses = [{ ip: '10.244.1.1', nodeName: 'n1' }]
      const subsets = [{ addresses, ports: [{ port: 80 }] }]
      await server.apply({
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { namespace: 'default', name: 'one' },
        subsets,
      })
      const { code, stderr } = await ended
      expect([code, stderr]).toEqual([0, ''])
      await expect.poll(() => [...peer.announcedAt.keys()]).toEqual([route])
    } finally {
      await passage.close()
      await peer.close()
    }
  })
})
