/** The processes that an outage takes away: which pod has a task now, and a fresh pod in place of one that fell. */
import type { KubernetesObject, Lab } from '../lab/index.ts'

export interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[]
  }
}

interface LeaseObject extends KubernetesObject {
  readonly spec: { readonly holderIdentity?: string }
}

export interface Target {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly node: string
}

const metallb = 'metallb-system'
const contour = 'projectcontour'

/** The node that answers ARP for the address, by its MAC address. */
export async function announcingNode(lab: Lab, ipv4: string): Promise<string> {
  return await lab.waitFor(`one of the nodes to answer for ${ipv4}`, async () => {
    const [mac] = await lab.client.arping(ipv4)
    for (const node of lab.nodes) if (mac !== undefined && (await node.mac()) === mac) return node.name
    return undefined
  })
}

export async function announcingSpeaker(lab: Lab, ipv4: string): Promise<Target> {
  const node = await announcingNode(lab, ipv4)
  return await podOn(lab, { namespace: metallb, selector: 'component=speaker', container: 'speaker' }, node)
}

/** The Envoy of the node that announces the address: all that comes by the LAN goes through it. */
export async function announcedEnvoy(lab: Lab, ipv4: string): Promise<Target> {
  const node = await announcingNode(lab, ipv4)
  return await podOn(lab, { namespace: contour, selector: 'app=envoy', container: 'envoy' }, node)
}

export async function leadingController(lab: Lab): Promise<Target> {
  return await holder(lab, metallb, 'landfall-controller', 'controller')
}

export async function leadingContour(lab: Lab): Promise<Target> {
  return await holder(lab, contour, 'leader-elect', 'contour')
}

/** A pod whose container fell once is not started again at once; who kills often takes a fresh one each time. */
export async function freshTarget(lab: Lab, pick: () => Promise<Target>): Promise<Target> {
  for (let tries = 0; tries < 8; tries++) {
    const target = await pick()
    const pod = await lab.get<PodObject>('pod', target.pod, target.namespace)
    if (pod !== undefined && restartsOf(pod, target.container) === 0) return target
    await replace(lab, target)
  }
  throw new Error('no pod without a restart takes the task over')
}

export async function targetRuns(lab: Lab, { namespace, pod, container }: Target): Promise<boolean> {
  const object = await lab.get<PodObject>('pod', pod, namespace)
  if (object === undefined || restartsOf(object, container) === 0) return false
  return isReady(object)
}

/** Takes its time where the API server was away just now: the controllers of Kubernetes come back by and by. */
async function replace(lab: Lab, { namespace, pod }: Target): Promise<void> {
  const old = await lab.list<PodObject>('pods', { namespace })
  const ready = old.filter(isReady).length
  await lab.kubectl(['delete', 'pod', pod, '-n', namespace, '--grace-period=1'])
  await lab.waitFor(
    `another pod in place of ${namespace}/${pod}`,
    async () => {
      const pods = await lab.list<PodObject>('pods', { namespace })
      return pods.filter(isReady).length >= ready
    },
    { timeoutMs: 90_000 },
  )
}

async function holder(lab: Lab, namespace: string, lease: string, container: string): Promise<Target> {
  const found = await lab.waitFor(`a holder of the lease ${namespace}/${lease}`, async () => {
    const pod = (await lab.get<LeaseObject>('lease', lease, namespace))?.spec.holderIdentity
    return pod === undefined || pod === '' ? undefined : await lab.get<PodObject>('pod', pod, namespace)
  })
  return { namespace, pod: found.metadata.name, container, node: found.spec.nodeName ?? '' }
}

async function podOn(
  lab: Lab,
  of: { readonly namespace: string; readonly selector: string; readonly container: string },
  node: string,
): Promise<Target> {
  const pods = await lab.list<PodObject>('pods', of)
  const pod = pods.find(({ spec }) => spec.nodeName === node)
  if (pod === undefined) throw new Error(`no pod of ${of.namespace} with ${of.selector} is on ${node}`)
  return { namespace: of.namespace, pod: pod.metadata.name, container: of.container, node }
}

function isReady({ status }: PodObject): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

function restartsOf({ status }: PodObject, container: string): number {
  return status?.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0
}
