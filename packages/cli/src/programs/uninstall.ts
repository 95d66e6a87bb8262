/**
 * `uninstall`: clears what Landfall wrote into objects that are not its own, after the workloads are gone: addresses
 * and annotations of Services, addresses of Ingresses, status of HTTPProxies. Which objects those are is known from
 * the field managers that the API server keeps. Says what it would do and asks.
 */
import { createInterface } from 'node:readline/promises'
import { type Cluster, hasStatus, openCluster, type RawObject, type ResourceType } from '@landfall/kube'
import { Command } from 'commander'
import { given, kubeconfigFlag, loggerOf } from '../flags.ts'
import { readVersion } from '../version.ts'

interface Flags {
  readonly kubeconfig?: string
  readonly crds?: boolean
  readonly yes?: boolean
}

/** One object to clear or delete. */
interface Step {
  readonly what: string
  readonly object: string
  run(): Promise<unknown>
}

type Type = Pick<ResourceType, 'apiVersion' | 'kind' | 'plural' | 'namespaced'>

const workloads: readonly { readonly type: Type; readonly key: string }[] = [
  { type: apps('Deployment', 'deployments'), key: 'metallb-system/controller' },
  { type: apps('DaemonSet', 'daemonsets'), key: 'metallb-system/speaker' },
  { type: apps('Deployment', 'deployments'), key: 'projectcontour/contour' },
  { type: apps('DaemonSet', 'daemonsets'), key: 'projectcontour/envoy' },
]
const clusterRoles = ['metallb-system:controller', 'metallb-system:speaker', 'contour']
const groups = ['metallb.io', 'projectcontour.io']
const pool = 'metallb.io/ip-allocated-from-pool'

export function uninstallCommand(): Command {
  return new Command('uninstall')
    .description('clear what Landfall wrote into Services, Ingresses and HTTPProxies; the workloads go first')
    .addOption(kubeconfigFlag())
    .option(
      '--crds',
      'also delete the definitions, and with them every pool, peer, advertisement and HTTPProxy',
    )
    .option('--yes', 'do not ask')
    .action(uninstall)
}

async function uninstall(flags: Flags): Promise<void> {
  const logger = loggerOf('none')
  const userAgent = `landfall-uninstall/${readVersion()}`
  const cluster = await openCluster({ ...given('kubeconfig', flags.kubeconfig), logger, userAgent })
  try {
    await refuseWhileRunning(cluster)
    const steps = [
      ...(await serviceSteps(cluster)),
      ...(await ingressSteps(cluster)),
      ...(await proxySteps(cluster)),
      ...(await roleSteps(cluster)),
      ...(flags.crds === true ? await definitionSteps(cluster) : []),
    ]
    if (steps.length === 0) return say('nothing to clear')
    for (const { what, object } of steps) say(`  ${what.padEnd(22)}  ${object}`)
    if (flags.yes !== true && !(await agreed(steps.length))) return say('left as it is')
    for (const step of steps) await step.run()
    say(`done: ${steps.length}`)
  } finally {
    cluster.close()
  }
}

async function refuseWhileRunning(cluster: Cluster): Promise<void> {
  for (const { type, key } of workloads) {
    if ((await found(cluster.get(projected(type), key))) === undefined) continue
    throw new Error(
      `${type.kind} ${key} still runs and would write again; first: kubectl delete namespace metallb-system projectcontour`,
    )
  }
}

async function serviceSteps(cluster: Cluster): Promise<readonly Step[]> {
  const type = projected({ apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true })
  const { items } = await cluster.list(type)
  const written = items.filter((raw) => raw.metadata.annotations?.[pool] !== undefined || isOurs(raw))
  return written.map((raw) => ({
    what: 'clear address',
    object: `Service ${nameOf(raw)}`,
    run: async () => {
      const patch = { metadata: { annotations: { [pool]: null } } }
      const current = await cluster.patch(type, nameOf(raw), patch)
      await cluster.update(type, { ...current, status: { loadBalancer: {} } }, 'status')
    },
  }))
}

async function ingressSteps(cluster: Cluster): Promise<readonly Step[]> {
  const type = projected({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    plural: 'ingresses',
    namespaced: true,
  })
  const { items } = await cluster.list(type)
  return items.filter(isOurs).map((raw) => ({
    what: 'clear address',
    object: `Ingress ${nameOf(raw)}`,
    run: () => cluster.update(type, { ...raw, status: { loadBalancer: {} } }, 'status'),
  }))
}

async function proxySteps(cluster: Cluster): Promise<readonly Step[]> {
  const type = projected({
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    plural: 'httpproxies',
    namespaced: true,
  })
  const listed = await found(cluster.list(type))
  return (listed?.items ?? []).filter(isOurs).map((raw) => ({
    what: 'clear status',
    object: `HTTPProxy ${nameOf(raw)}`,
    run: () => {
      const status = { currentStatus: 'NotReconciled', description: 'Waiting for controller' }
      return cluster.update(type, { ...raw, status }, 'status')
    },
  }))
}

async function roleSteps(cluster: Cluster): Promise<readonly Step[]> {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', namespaced: false }
  const types = [
    projected({ ...rbac, kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' }),
    projected({ ...rbac, kind: 'ClusterRole', plural: 'clusterroles' }),
  ]
  const steps: Step[] = []
  for (const type of types) {
    for (const name of clusterRoles) {
      if ((await found(cluster.get(type, name))) === undefined) continue
      steps.push({ what: 'delete', object: `${type.kind} ${name}`, run: () => cluster.delete(type, name) })
    }
  }
  return steps
}

async function definitionSteps(cluster: Cluster): Promise<readonly Step[]> {
  const type = projected({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    namespaced: false,
  })
  const { items } = await cluster.list(type)
  return items
    .filter((raw) => groups.some((group) => raw.metadata.name.endsWith(`.${group}`)))
    .map((raw) => ({
      what: 'delete with its objects',
      object: `definition ${raw.metadata.name}`,
      run: () => cluster.delete(type, raw.metadata.name),
    }))
}

/** Whether one of our programs wrote the object's status. */
function isOurs(raw: RawObject): boolean {
  const managers = raw.metadata['managedFields']
  if (!Array.isArray(managers)) return false
  return managers.some(
    (entry: { readonly manager?: string; readonly subresource?: string }) =>
      entry.subresource === 'status' && (entry.manager ?? '').startsWith('landfall-'),
  )
}

async function agreed(count: number): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('standard input is no terminal to ask on; give --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Do all ${count}? [y/N] `)
  terminal.close()
  return answer.trim().toLowerCase().startsWith('y')
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}

function apps(kind: string, plural: string): Type {
  return { apiVersion: 'apps/v1', kind, plural, namespaced: true }
}

/** Objects are taken whole here, so that nothing of them is lost in a write. */
function projected(type: Type): ResourceType {
  return {
    ...type,
    project: () => {
      throw new Error('not watched')
    },
  }
}

function nameOf(raw: RawObject): string {
  const { namespace, name } = raw.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
