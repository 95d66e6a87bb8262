// A running lab as tests use it.
import type { CommandOptions, CommandResult } from '../host/command.ts'
import type { Daemon } from '../host/daemon.ts'
import { isAlive, sendSignal } from '../host/process-table.ts'
import { type WaitOptions, waitFor } from '../host/wait.ts'
import { catalogue } from '../parts/catalogue.ts'
import type { Parts } from '../parts/resolve.ts'
import { type LabRecord, labDaemons, labPaths, recordedTopology } from '../state/lab-state.ts'
import { type Removed, removeLab } from '../state/removal.ts'
import { type Host, hostNamed, hostsOf, type Topology } from '../topology/topology.ts'
import { type KubernetesObject, LabCluster, type Manifest } from './cluster.ts'
import { LabHost } from './host.ts'
import { LabNode } from './node.ts'
import { LabPods } from './pods.ts'
import { LabRouter } from './router.ts'

export class Lab {
  readonly id: string
  readonly topology: Topology
  readonly parts: Parts
  /** On the LAN, no part of the cluster. */
  readonly client: LabHost
  /** Behind the routers. */
  readonly client2: LabHost
  readonly controlPlane: LabHost
  readonly nodes: readonly LabNode[]
  readonly routers: readonly LabRouter[]
  readonly pods: LabPods
  readonly cluster: LabCluster
  readonly #record: LabRecord

  constructor(record: LabRecord) {
    const paths = labPaths(record.id)
    const topology = recordedTopology(record)
    const parts = recordedParts(record)
    const host = (name: string): Host => hostNamed(topology, name)
    this.id = record.id
    this.topology = topology
    this.parts = parts
    this.#record = record
    this.client = new LabHost(host('client'), parts)
    this.client2 = new LabHost(host('client2'), parts)
    this.controlPlane = new LabHost(host('cp'), parts)
    this.nodes = hostsOf(topology, 'node').map((h) => new LabNode(h, parts, topology))
    this.routers = hostsOf(topology, 'router').map((h) => new LabRouter(h, parts, paths.routers))
    this.pods = new LabPods(paths)
    const { kubeconfig, kubectlCache: cache } = paths
    this.cluster = new LabCluster({ kubectl: parts.kubectl, kubeconfig, cache, netns: host('cp').netns })
  }

  node(name: string): LabNode {
    const node = this.nodes.find((n) => n.name === name)
    if (node === undefined) throw new RangeError(`lab '${this.id}' has no node '${name}'`)
    return node
  }

  async kubectl(args: readonly string[], o?: CommandOptions): Promise<string> {
    return await this.cluster.kubectl(args, o)
  }

  async tryKubectl(args: readonly string[], o?: CommandOptions): Promise<CommandResult> {
    return await this.cluster.tryKubectl(args, o)
  }

  async apply(manifests: string | readonly Manifest[]): Promise<void> {
    await this.cluster.apply(manifests)
  }

  async delete(manifests: string | readonly Manifest[]): Promise<void> {
    await this.cluster.delete(manifests)
  }

  async get<T extends KubernetesObject>(
    kind: string,
    name: string,
    namespace?: string,
  ): Promise<T | undefined> {
    return await this.cluster.get<T>(kind, name, namespace)
  }

  async list<T extends KubernetesObject>(
    kind: string,
    o?: { readonly namespace?: string; readonly selector?: string },
  ): Promise<readonly T[]> {
    return await this.cluster.list<T>(kind, o)
  }

  async waitFor<T>(
    what: string,
    look: () => T | undefined | false | Promise<T | undefined | false>,
    o?: WaitOptions,
  ): Promise<T> {
    return await waitFor(what, look, o)
  }

  /** Processes that the lab itself runs: `etcd`, `kube-apiserver`, `kubelet-n1`, `r1-bgpd`, … */
  daemons(): readonly (Daemon & { readonly alive: boolean })[] {
    return labDaemons(this.id)
      .list()
      .map((d) => ({ ...d, alive: isAlive(d) }))
  }

  signalDaemon(name: string, signal: NodeJS.Signals): void {
    const daemon = labDaemons(this.id).find(name)
    if (daemon === undefined || !isAlive(daemon)) throw new Error(`lab '${this.id}' runs no ${name}`)
    sendSignal(-daemon.pid, signal)
  }

  /** Ends a daemon with SIGKILL, without a start after it; resolves when it is gone. */
  async killDaemon(name: string): Promise<void> {
    this.signalDaemon(name, 'SIGKILL')
    await labDaemons(this.id).stop(name, 0)
  }

  /** Starts a daemon again with the command line it had, after it was killed. */
  async startDaemon(name: string): Promise<void> {
    const daemon = this.daemons().find((d) => d.name === name)
    if (daemon === undefined || daemon.alive) throw new Error(`${name} runs already or never did`)
    labDaemons(this.id).start({ name, argv: daemon.argv })
    if (name === 'kube-apiserver') await this.waitForApiServer()
  }

  async waitForApiServer(): Promise<void> {
    await waitFor('the API server to be ready', async () => {
      return (await this.tryKubectl(['get', '--raw', '/readyz'], { timeoutMs: 3000 })).code === 0
    })
  }

  daemonLog(name: string): string {
    return labDaemons(this.id).logTail(name, Number.POSITIVE_INFINITY)
  }

  async down(): Promise<Removed> {
    return await removeLab(this.#record.id)
  }
}

function recordedParts(record: LabRecord): Parts {
  const missing = catalogue.filter(({ name }) => record.parts[name] === undefined).map(({ name }) => name)
  if (missing.length > 0) throw new Error(`lab '${record.id}' has no record of ${missing.join(', ')}`)
  return record.parts
}
