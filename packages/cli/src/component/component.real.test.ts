/** Components on a real API server; what controllers and kubelets would write, the test writes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '@landfall/kube'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import {
  formatProblems,
  type Manifest,
  nameOfObject,
  printManifests,
  type RenderedComponent,
  readLokocfg,
  renderComponents,
} from '@landfall/lokocfg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyComponent } from './apply.ts'
import { deleteAll, deletionsOf } from './delete.ts'
import { readObject } from './objects.ts'
import { waitUntilReady } from './wait.ts'

const guide = `
component "metallb" {
  address_pools = {
    default = ["198.51.100.0/28"]
  }
}
component "contour" {}
`

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 120_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  let folder: string

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    folder = mkdtempSync(join(tmpdir(), 'landfall-component-'))
  }, 90_000)

  afterAll(async () => {
    cluster?.close()
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  async function componentsOf(text: string): Promise<readonly RenderedComponent[]> {
    const file = join(folder, 'a.lokocfg')
    writeFileSync(file, text)
    const rendered = renderComponents(await readLokocfg({ lokocfg: file }), [], { version: '1.2.3' })
    if (!rendered.ok) throw new Error(formatProblems(rendered.problems))
    return rendered.components
  }

  async function only(name: string, text: string): Promise<RenderedComponent> {
    const found = (await componentsOf(text)).find((one) => one.name === name)
    if (found === undefined) throw new Error(`no component ${name}`)
    return found
  }

  /** Name and version of each object. */
  async function versions(objects: readonly Manifest[]): Promise<readonly string[]> {
    const found = await Promise.all(objects.map((one) => readObject(cluster, one)))
    return found.map((raw, index) => {
      const [object] = objects.slice(index, index + 1)
      return `${object === undefined ? '' : nameOfObject(object)} ${raw?.metadata.resourceVersion ?? 'missing'}`
    })
  }

  it('0.2: kubectl takes what render-manifest prints', async () => {
    const printed = printManifests(await componentsOf(guide))
    const lines = (await server.run(['apply', '--dry-run=client', '-f', '-'], printed)).trim().split('\n')
    expect(lines).toHaveLength(printed.match(/^---$/gm)?.length ?? 0)
    expect(new Set(lines.map((line) => line.split(' ').slice(1).join(' ')))).toEqual(
      new Set(['created (dry run)']),
    )
  })

  it('0.4, 0.5: both are there after the first time, and the second time changes nothing', async () => {
    const components = await componentsOf(guide)
    const objects = components.flatMap((one) => one.objects)
    for (const component of components) {
      expect(await applyComponent(cluster, component)).toEqual({
        created: component.objects.length,
        changed: 0,
        unchanged: 0,
        deleted: 0,
        failures: [],
      })
    }
    const before = await versions(objects)
    for (const component of await componentsOf(guide)) {
      expect(await applyComponent(cluster, component)).toMatchObject({
        created: 0,
        changed: 0,
        unchanged: component.objects.length,
      })
    }
    expect(await versions(objects)).toEqual(before)
    const phases = await server.run([
      'get',
      'namespaces',
      'metallb-system',
      'projectcontour',
      '-o=jsonpath={.items[*].status.phase}',
    ])
    expect(phases).toBe('Active Active')
  })

  it('changes one component and leaves the other alone', async () => {
    const contour = await only('contour', guide)
    const before = await versions(contour.objects)
    const changed = guide
      .replace('198.51.100.0/28', '198.51.100.0/29')
      .replace('}\n}', '}\n  speaker_node_selectors = { ingress = "true" }\n}')
    expect(await applyComponent(cluster, await only('metallb', changed))).toMatchObject({
      created: 0,
      changed: 2,
    })
    expect(await versions(contour.objects)).toEqual(before)
    const selector = [
      'get',
      'daemonset',
      '-n',
      'metallb-system',
      'speaker',
      '-o=jsonpath={.spec.template.spec.nodeSelector}',
    ]
    expect(JSON.parse(await server.run(selector))).toEqual({ 'kubernetes.io/os': 'linux', ingress: 'true' })
    await applyComponent(cluster, await only('metallb', guide))
    expect(JSON.parse(await server.run(selector))).toEqual({ 'kubernetes.io/os': 'linux' })
  })

  it('leaves to the reader what stands in ConfigMap contour, once it is ours', async () => {
    const name = ['configmap', 'contour', '-n', 'projectcontour']
    const edit = async (text: string, ...flags: readonly string[]) => {
      const patch = JSON.stringify({ data: { 'contour.yaml': text } })
      await server.run(['patch', ...name, ...flags, '--type=merge', '-p', patch])
    }
    const read = () => server.run(['get', ...name, '-o=jsonpath={.data.contour\\.yaml}'])
    const contour = await only('contour', guide)
    const initial = await read()
    expect(initial).toMatch(/^disablePermitInsecure: false$/m)
    await edit('disablePermitInsecure: true\n')
    expect(await applyComponent(cluster, contour)).toMatchObject({ changed: 0, failures: [] })
    expect(await read()).toBe('disablePermitInsecure: true\n')
    await server.run(['delete', ...name])
    await server.run(['create', ...name, '--from-literal=contour.yaml=incluster: true'])
    expect(await applyComponent(cluster, contour)).toMatchObject({ changed: 1, failures: [] })
    expect(await read()).toBe(initial)
  })

  it('makes a Job anew whose pods change', async () => {
    const text = 'component "contour" {\n  toleration {\n    operator = "Exists"\n  }\n}\n'
    expect(await applyComponent(cluster, await only('contour', text))).toMatchObject({
      changed: 3,
      failures: [],
    })
    const tolerations = [
      'get',
      'job',
      '-n',
      'projectcontour',
      '-o=jsonpath={.items[*].spec.template.spec.tolerations}',
    ]
    expect(JSON.parse(await server.run(tolerations))).toEqual([{ operator: 'Exists' }])
    await applyComponent(cluster, await only('contour', guide))
    expect(await server.run(tolerations)).toBe('')
  })

  it('waits for each workload, says for what, and ends when all run', async () => {
    const contour = await only('contour', guide)
    const said: string[] = []
    const patience = { timeoutMs: 100_000, pollMs: 50 }
    const waited = waitUntilReady(cluster, contour, patience, (line) => said.push(line))
    await expect.poll(() => said.length).toBe(3)
    await writeStatus('job', 'contour-certgen-v1-2-3', {
      startTime: '2026-01-01T00:00:00Z',
      completionTime: '2026-01-01T00:00:01Z',
      succeeded: 1,
      conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' })),
    })
    const generation = Number(
      await server.run([
        'get',
        'deployment',
        '-n',
        'projectcontour',
        'contour',
        '-o=jsonpath={.metadata.generation}',
      ]),
    )
    const replicas = { observedGeneration: generation, replicas: 2, updatedReplicas: 2 }
    await writeStatus('deployment', 'contour', { ...replicas, readyReplicas: 1, availableReplicas: 1 })
    await expect.poll(() => said.at(-1)).toContain('1 of 2 available')
    await writeStatus('deployment', 'contour', { ...replicas, readyReplicas: 2, availableReplicas: 2 })
    await writeStatus('daemonset', 'envoy', {
      observedGeneration: 100,
      desiredNumberScheduled: 1,
      currentNumberScheduled: 1,
      updatedNumberScheduled: 1,
      numberMisscheduled: 0,
      numberReady: 1,
      numberAvailable: 1,
    })
    await waited
    expect(said.slice(0, 3)).toEqual([
      'Waiting for Deployment projectcontour/contour: nobody has looked at it yet',
      'Waiting for Job projectcontour/contour-certgen-v1-2-3: not complete',
      'Waiting for DaemonSet projectcontour/envoy: nobody has looked at it yet',
    ])
    expect(said).toContain('Deployment projectcontour/contour is ready')
    expect(said).toContain('DaemonSet projectcontour/envoy is ready')
  })

  async function writeStatus(
    kind: string,
    name: string,
    status: object,
    namespace = 'projectcontour',
  ): Promise<void> {
    const patch = JSON.stringify({ status })
    await server.run([
      'patch',
      kind,
      name,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    ])
  }

  it('names what is not ready when the time is over, and why its pod does not run', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'controller-1',
        namespace: 'metallb-system',
        labels: { app: 'metallb', component: 'controller' },
      },
      spec: { automountServiceAccountToken: false, containers: [{ name: 'controller', image: 'x' }] },
    }
    const metadata = { name: 'default', namespace: 'metallb-system' }
    await server.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, pod)
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' },
    ]
    await server.run([
      'patch',
      'pod',
      'controller-1',
      '-n',
      'metallb-system',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: { conditions } }),
    ])
    const waited = waitUntilReady(
      cluster,
      await only('metallb', guide),
      { timeoutMs: 0, pollMs: 50 },
      () => {},
    )
    await expect(waited).rejects.toThrow(
      /^not ready after 0 s:\n {2}Deployment metallb-system\/controller: .* \(pod controller-1: 0\/1 nodes are available\)\n {2}DaemonSet metallb-system\/speaker: /,
    )
    await server.run(['delete', 'pod', 'controller-1', '-n', 'metallb-system', '--force', '--grace-period=0'])
  })

  it('goes on waiting while the API server is away', async () => {
    const metallb = await only('metallb', guide)
    const said: string[] = []
    const waited = waitUntilReady(cluster, metallb, { timeoutMs: 100_000, pollMs: 50 }, (line) =>
      said.push(line),
    )
    const ended = waited.then(
      () => 'ready',
      (error: unknown) => String(error),
    )
    await expect.poll(() => said.length).toBe(2)
    await server.killApiServer()
    await expect.poll(() => said.at(-1)).toContain('the API server does not answer')
    await server.startApiServer()
    const running = {
      observedGeneration: 100,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    }
    await writeStatus('deployment', 'controller', running, 'metallb-system')
    await writeStatus(
      'daemonset',
      'speaker',
      {
        observedGeneration: 100,
        currentNumberScheduled: 0,
        numberMisscheduled: 0,
        desiredNumberScheduled: 0,
        numberReady: 0,
      },
      'metallb-system',
    )
    expect(await ended).toBe('ready')
    expect(said.at(-1)).toBe(
      'DaemonSet metallb-system/speaker is ready, but no node is eligible: look at its nodeSelector and tolerations',
    )
  })

  it('1.15: without the Prometheus operator it says so, and everything else is applied', async () => {
    const monitored = await only('metallb', 'component "metallb" {\n  service_monitor = true\n}\n')
    const { failures, created } = await applyComponent(cluster, monitored)
    expect(failures).toEqual([
      expect.stringMatching(
        /^ServiceMonitor metallb-system\/metallb: .*prometheus-operator\) must be installed first$/,
      ),
      expect.stringMatching(/^PrometheusRule metallb-system\/alertmanager-rules: .*must be installed first$/),
    ])
    expect(created).toBe(2)
  })

  it('deletes what an attribute gave once it is gone, and only what it made itself', async () => {
    const component = await only('metallb', guide)
    expect(await applyComponent(cluster, component)).toMatchObject({ deleted: 2, failures: [] })
    const names = await server.run(['get', 'service,configmap', '-n', 'metallb-system', '-o=name'])
    expect(names).not.toMatch(/metallb-metrics|grafana-dashs/)
    const own = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'metallb-metrics', namespace: 'metallb-system' },
      spec: { ports: [{ port: 1 }] },
    }
    await server.apply(own)
    expect(await applyComponent(cluster, component)).toMatchObject({ deleted: 0 })
  })

  it('1.13: the ConfigMap that was made by hand stays as it is, also when the component goes', async () => {
    await server.run(['delete', 'configmap', 'config', '-n', 'metallb-system'])
    await server.run([
      'create',
      'configmap',
      'config',
      '-n',
      'metallb-system',
      '--from-literal=config=address-pools: []',
    ])
    const plain = await only('metallb', 'component "metallb" {}')
    const full = await only('metallb', guide)
    const config = full.objects.filter(({ kind }) => kind === 'ConfigMap')
    const before = await versions(config)
    expect(await applyComponent(cluster, plain)).toMatchObject({ failures: [] })
    const going = await deletionsOf(cluster, full, false)
    expect(going.map(({ kind }) => kind)).not.toContain('ConfigMap')
    expect(await versions(config)).toEqual(before)
  })

  it('takes a component out, the other one stays, and so do definitions and the namespace', async () => {
    const [metallb, contour] = [await only('metallb', guide), await only('contour', guide)]
    const before = await versions(contour.objects)
    await deleteAll(cluster, await deletionsOf(cluster, metallb, false), () => {})
    const left = (await versions(metallb.objects)).filter((line) => !line.endsWith(' missing'))
    expect(new Set(left.map((line) => line.split(' ')[0]))).toEqual(
      new Set(['Namespace', 'CustomResourceDefinition', 'ConfigMap']),
    )
    expect(await versions(contour.objects)).toEqual(before)
    expect(await deletionsOf(cluster, metallb, false)).toEqual([])
    const [namespace] = await deletionsOf(cluster, metallb, true)
    expect(namespace).toMatchObject({ kind: 'Namespace', metadata: { name: 'metallb-system' } })
  })
})
