/** Uninstall as the README says, on a lab of its own beside the other: nothing of Landfall stays, all else does. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyExample, externalAddresses, install } from '../demo/installation.ts'
import {
  type CommandResult,
  createLab,
  type KubernetesObject,
  type Lab,
  type Manifest,
  silentProgress,
} from '../lab/index.ts'
import { labPaths } from '../lab/state/lab-state.ts'
import { echo, envoyAddresses, namespaceObject, type ProxyObject, scenarioLab } from './site.ts'

const landfall = join(import.meta.dirname, '..', '..', 'bin', 'landfall')
const other = scenarioLab()
const namespace = 'shop'
const foreignDefinition = 'frrconfigurations.frrk8s.metallb.io'
const pool = 'metallb.io/ip-allocated-from-pool'
const condition = {
  type: 'Audited',
  status: 'True',
  reason: 'Seen',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}

interface StatusObject extends KubernetesObject {
  readonly spec: unknown
  readonly status?: { readonly loadBalancer?: object; readonly conditions?: readonly object[] }
}

describe('uninstall', () => {
  let lab: Lab
  let foreign: StatusObject | undefined

  beforeAll(async () => {
    lab = await createLab({ nodes: 1 })
    await install(lab, silentProgress)
    await lab.apply([
      namespaceObject(namespace),
      ...echo(namespace, 'ours', { service: { type: 'LoadBalancer', ipFamilyPolicy: 'RequireDualStack' } }),
      ...echo(namespace, 'foreign', {
        service: { type: 'LoadBalancer', loadBalancerClass: 'example.com/other' },
      }),
      definition(foreignDefinition),
    ])
    await applyExample(lab)
    await writeStatus(lab, 'service', 'foreign', { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } })
    await externalAddresses(lab, 'ours', namespace)
    await writeStatus(lab, 'service', 'ours', { conditions: [condition] })
    for (const [kind, name] of [
      ['ingress', 'hello'],
      ['httpproxy', 'world'],
    ] as const) {
      await lab.waitFor(`addresses in the status of ${kind} ${name}`, async () => {
        const seen = await lab.get<ProxyObject>(kind, name, 'hello')
        return seen?.status?.loadBalancer?.ingress !== undefined
      })
    }
    foreign = await lab.get<StatusObject>('service', 'foreign', namespace)
  })

  afterAll(() => lab?.down())

  it('refuses while something runs that would write again', async () => {
    const { code, stderr } = await uninstall('--yes')
    expect(code).toBe(1)
    expect(stderr).toBe(
      'landfall: Deployment metallb-system/controller is there and would write again; first: kubectl delete namespace metallb-system projectcontour\n',
    )
  })

  it('follows the namespaces, which do not hang', async () => {
    const removed = await lab.kubectl([
      'delete',
      'namespace',
      'metallb-system',
      'projectcontour',
      '--timeout=60s',
    ])
    expect(removed.match(/deleted/g)).toHaveLength(2)
  })

  it('says what it would do, and asks', async () => {
    const before = await lab.get<StatusObject>('httpproxy', 'world', 'hello')
    const { code, stdout, stderr } = await uninstall()
    expect([code, stderr]).toEqual([1, 'landfall: standard input is no terminal to ask on; give --yes\n'])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)),
    ).toEqual([
      ['clear address', 'Service shop/ours'],
      ['clear address', 'Ingress hello/hello'],
      ['clear status', 'HTTPProxy hello/world'],
      ['delete', 'ClusterRoleBinding metallb-system:controller'],
      ['delete', 'ClusterRoleBinding metallb-system:speaker'],
      ['delete', 'ClusterRoleBinding contour'],
      ['delete', 'ClusterRole metallb-system:controller'],
      ['delete', 'ClusterRole metallb-system:speaker'],
      ['delete', 'ClusterRole contour'],
    ])
    expect(await lab.get('httpproxy', 'world', 'hello')).toEqual(before)
  })

  it('clears addresses, annotations and verdicts, and nothing else', async () => {
    const { code, stdout } = await uninstall('--yes')
    expect([code, stdout.trim().split('\n').at(-1)]).toEqual([0, 'done: 9 of 9'])
    const ours = await lab.get<StatusObject>('service', 'ours', namespace)
    expect(ours?.status).toEqual({ loadBalancer: {}, conditions: [condition] })
    expect(ours?.metadata.annotations).not.toHaveProperty([pool])
    expect((await lab.get<StatusObject>('ingress', 'hello', 'hello'))?.status).toEqual({ loadBalancer: {} })
    expect((await lab.get<StatusObject>('httpproxy', 'world', 'hello'))?.status).toEqual({
      currentStatus: 'NotReconciled',
      description: 'Waiting for controller',
    })
    expect(await lab.get<StatusObject>('service', 'foreign', namespace)).toEqual(foreign)
  })

  it('finds nothing the second time', async () => {
    expect(await uninstall('--yes')).toEqual({ code: 0, stdout: 'nothing to clear\n', stderr: '' })
  })

  it('deletes the definitions and their objects when asked to, and only its own', async () => {
    const { code } = await uninstall('--yes', '--crds')
    expect(code).toBe(0)
    const left = (await lab.list('crd')).map(({ metadata }) => metadata.name)
    expect(left).toEqual([foreignDefinition])
    expect(await uninstall('--yes', '--crds')).toMatchObject({ code: 0, stdout: 'nothing to clear\n' })
  })

  it('leaves namespaces that can be deleted', async () => {
    const removed = await lab.kubectl(['delete', 'namespace', 'hello', namespace, '--timeout=60s'])
    expect(removed.match(/deleted/g)).toHaveLength(2)
  })

  it('did nothing to the lab beside it', async () => {
    expect((await other.list('crd')).length).toBeGreaterThan(5)
    const { ipv4 } = await envoyAddresses(other)
    expect(await other.client.arping(ipv4)).toHaveLength(1)
  })

  function uninstall(...flags: readonly string[]): Promise<CommandResult> {
    const env = { KUBECONFIG: labPaths(lab.id).kubeconfig }
    return lab.controlPlane.tryRun([landfall, 'uninstall', ...flags], { env, timeoutMs: 60_000 })
  }
})

async function writeStatus(lab: Lab, kind: string, name: string, status: object): Promise<void> {
  const patch = JSON.stringify({ status })
  await lab.kubectl([
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

/** Of a group that looks like ours. */
function definition(name: string): Manifest {
  const [plural = '', ...group] = name.split('.')
  const schema = { openAPIV3Schema: { type: 'object' } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group: group.join('.'),
      names: { kind: 'FRRConfiguration', plural },
      scope: 'Namespaced',
      versions: [{ name: 'v1beta1', served: true, storage: true, schema }],
    },
  }
}
