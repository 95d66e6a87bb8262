/** Installs Landfall on a lab and waits until its parts are there; shared by the demo, the scenarios and the drills. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubernetesObject, Lab, Progress } from '../lab/index.ts'
import { siteObjects } from './site.ts'

const root = join(import.meta.dirname, '..', '..')

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

interface Workload extends KubernetesObject {
  readonly spec: { readonly replicas?: number }
  readonly status?: {
    readonly readyReplicas?: number
    readonly numberReady?: number
    readonly desiredNumberScheduled?: number
  }
}

export interface Addresses {
  readonly ipv4: string
  readonly ipv6: string
}

export async function install(lab: Lab, progress: Progress): Promise<void> {
  await progress.step('kubectl apply -f manifests/landfall.yaml', () =>
    lab.kubectl(['apply', '-f', join(root, 'manifests', 'landfall.yaml')]),
  )
  await progress.step('custom resources known', () =>
    lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']),
  )
  await progress.step('pool, advertisements and peers', () => lab.apply(siteObjects(lab)))
  await progress.step('controller, speaker, contour and envoy run', (note) =>
    lab.waitFor('the pods of Landfall to be ready', () => workloadsReady(lab, note), { timeoutMs: 120_000 }),
  )
}

export async function applyExample(lab: Lab): Promise<void> {
  await lab.apply(readFileSync(join(root, 'examples', 'hello.yaml'), 'utf8'))
}

async function workloadsReady(lab: Lab, note: (text: string) => void): Promise<boolean> {
  const waiting: string[] = []
  for (const namespace of ['metallb-system', 'projectcontour']) {
    for (const deployment of await lab.list<Workload>('deployment', { namespace })) {
      const { readyReplicas = 0 } = deployment.status ?? {}
      if (readyReplicas < (deployment.spec.replicas ?? 1)) waiting.push(deployment.metadata.name)
    }
    for (const set of await lab.list<Workload>('daemonset', { namespace })) {
      const { numberReady = 0, desiredNumberScheduled = 0 } = set.status ?? {}
      if (desiredNumberScheduled === 0 || numberReady < desiredNumberScheduled)
        waiting.push(set.metadata.name)
    }
  }
  note(`waiting for ${waiting.join(', ')}`)
  return waiting.length === 0
}

/** The addresses of a Service of both families, once it has them. */
export function externalAddresses(lab: Lab, name: string, namespace: string): Promise<Addresses> {
  return lab.waitFor(`an IPv4 and an IPv6 address of Service ${namespace}/${name}`, async () => {
    const service = await lab.get<ServiceObject>('service', name, namespace)
    const ips = (service?.status?.loadBalancer?.ingress ?? []).map((entry) => entry.ip ?? '')
    const ipv4 = ips.find((ip) => ip.includes('.'))
    const ipv6 = ips.find((ip) => ip.includes(':'))
    return ipv4 !== undefined && ipv6 !== undefined && { ipv4, ipv6 }
  })
}
