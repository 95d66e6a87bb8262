// Brings a lab up, step by step, and takes it away again when a step fails.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ControlPlane,
  startNamed,
  waitForApiServer,
  waitForKubeProxy,
  writeControlFiles,
} from '../control/control-plane.ts'
import { kubeconfigName } from '../control/flags.ts'
import { run } from '../host/command.ts'
import type { Daemons } from '../host/daemon.ts'
import { inNetns } from '../host/netns.ts'
import { isAlive, ownProcess } from '../host/process-table.ts'
import type { Progress } from '../host/progress.ts'
import { waitFor } from '../host/wait.ts'
import type { KubeletConfig } from '../kubelet-config.ts'
import { makeNetwork } from '../network/network.ts'
import { bundleDirectory } from '../parts/cache.ts'
import { type Parts, resolveParts } from '../parts/resolve.ts'
import { startFrr } from '../routers/frr.ts'
import { claimLab, labDaemons, labPaths, recordedTopology, writeRecord } from '../state/lab-state.ts'
import { removeLab } from '../state/removal.ts'
import {
  clusterDNS,
  type Host,
  hostNamed,
  hostsOf,
  serviceNetwork,
  type Topology,
} from '../topology/topology.ts'
import { startGuard } from './guard.ts'
import { providePrograms, repoRoot } from './programs.ts'

export interface LabOptions {
  readonly id: string
  readonly nodes: number
  /** The lab removes itself after this time. */
  readonly maxLifeSeconds: number
  /** The lab removes itself when this process ends. */
  readonly owner?: number
  /** How long a silent node keeps its endpoints (`--node-monitor-grace-period`). */
  readonly nodeMonitorGraceSeconds: number
  /** Writes the API server's audit log. */
  readonly audit: boolean
  /** Containers are held to their limits of processor time. */
  readonly cpuLimits: boolean
  /** False runs the bundles as they are in dist/bundles. */
  readonly build: boolean
  readonly progress: Progress
}

/** Another lab has this id; `down` removes it. */
export class LabExistsError extends Error {
  constructor(id: string) {
    super(`there is a lab '${id}' already`)
  }
}

export async function startLab(o: LabOptions): Promise<void> {
  const parts = await resolveParts(o.progress)
  const topology = recordedTopology(o)
  if (!claimLab(o.id)) throw new LabExistsError(o.id)
  try {
    const starter = ownProcess()
    const record = { id: o.id, nodes: o.nodes, created: new Date().toISOString(), parts, starter }
    writeRecord({ ...record, phase: 'starting' })
    startGuard(o)
    await startEverything(o, topology, parts)
    writeRecord({ ...record, phase: 'up' })
  } catch (e) {
    if (process.env['LANDFALL_KEEP_FAILED'] === undefined) await removeLab(o.id)
    throw e
  }
}

async function startEverything(o: LabOptions, topology: Topology, parts: Parts): Promise<void> {
  const paths = labPaths(o.id)
  const daemons = labDaemons(o.id)
  const control = controlPlaneOf(o, topology, parts)
  const step: Progress['step'] = async (name, work) => await o.progress.step(name, work)
  await step('network', async () => await makeNetwork(topology))
  await Promise.all([
    step('control plane', async () => {
      await writeControlFiles(control)
      startNamed(control, (name) => name === 'etcd' || name === 'kube-apiserver')
      await waitForApiServer(control)
      startNamed(control, (name) => name.startsWith('kube-controller') || name === 'kube-scheduler')
    }),
    step('routers', async () => {
      const programs = { zebra: parts.zebra, bgpd: parts.bgpd, bfdd: parts.bfdd, vtysh: parts.vtysh }
      await Promise.all(
        hostsOf(topology, 'router').map((router) =>
          startFrr({ router, directory: join(paths.routers, router.name), daemons, programs }),
        ),
      )
    }),
    step('programs', async () => await providePrograms({ build: o.build, to: paths.bundles })),
  ])
  await Promise.all([
    step('nodes', async () => {
      for (const node of hostsOf(topology, 'node')) startKubelet(o, node, topology, parts, daemons)
      await waitForNodes(topology, parts, daemons)
    }),
    step('services', async () => {
      startNamed(control, (name) => name.startsWith('kube-proxy'))
      await Promise.all(hostsOf(topology, 'node').map((node) => waitForKubeProxy(control, node)))
    }),
  ])
}

export function controlPlaneOf(
  o: Pick<LabOptions, 'id' | 'nodeMonitorGraceSeconds' | 'audit'>,
  topology: Topology,
  parts: Parts,
): ControlPlane {
  const { control, etcd } = labPaths(o.id)
  return {
    topology,
    daemons: labDaemons(o.id),
    paths: { control, etcd },
    programs: parts,
    settings: { nodeMonitorGraceSeconds: o.nodeMonitorGraceSeconds, audit: o.audit },
  }
}

function startKubelet(o: LabOptions, node: Host, topology: Topology, parts: Parts, daemons: Daemons): void {
  const paths = labPaths(o.id)
  const stateDir = join(paths.nodes, node.name)
  mkdirSync(stateDir, { recursive: true })
  if (node.podCIDRs === undefined) throw new Error(`${node.name} has no pod network`)
  const config: KubeletConfig = {
    labId: o.id,
    prefix: topology.prefix,
    stateDir,
    nodeName: node.name,
    nodeIPs: [node.ipv4, node.ipv6],
    kubeconfig: join(paths.control, kubeconfigName(node.name)),
    podCIDRs: node.podCIDRs,
    serviceCIDRs: [serviceNetwork.ipv4, serviceNetwork.ipv6],
    clusterDNS,
    repoRoot,
    parts: {
      envoy: parts.envoy,
      node: process.execPath,
      metallbSpeaker: join(bundleDirectory('metallb'), 'metallb-speaker'),
      contour: join(bundleDirectory('contour'), 'contour'),
    },
    bundles: paths.bundles,
    maxLifeSeconds: o.maxLifeSeconds,
    cpuLimits: o.cpuLimits,
  }
  const file = join(stateDir, 'kubelet.json')
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`)
  const main = join(repoRoot, 'e2e', 'lab', 'kubelet', 'main.ts')
  daemons.start({ name: `kubelet-${node.name}`, argv: inNetns(node.netns, [process.execPath, main, file]) })
}

async function waitForNodes(topology: Topology, parts: Parts, daemons: Daemons): Promise<void> {
  const nodes = hostsOf(topology, 'node').map((n) => n.name)
  const { kubeconfig, kubectlCache } = labPaths(topology.id)
  const kubectl = [parts.kubectl, `--kubeconfig=${kubeconfig}`, `--cache-dir=${kubectlCache}`]
  const path = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
  const look = inNetns(hostNamed(topology, 'cp').netns, [
    ...kubectl,
    'get',
    'nodes',
    '-o',
    `jsonpath=${path}`,
  ])
  await waitFor(`nodes ${nodes.join(', ')} to be Ready`, async () => {
    const ended = nodes.map((n) => daemons.find(`kubelet-${n}`)).find((d) => d !== undefined && !isAlive(d))
    if (ended !== undefined) return true // reported by the check below
    const ready = (await run(look)).split('\n')
    return nodes.every((n) => ready.includes(`${n}=True`))
  })
  for (const node of nodes) {
    const daemon = daemons.find(`kubelet-${node}`)
    if (daemon !== undefined && !isAlive(daemon)) {
      throw new Error(`the kubelet of ${node} ended:\n${daemons.logTail(daemon.name)}`)
    }
  }
}
