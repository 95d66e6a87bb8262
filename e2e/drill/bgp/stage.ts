/**
 * An API server with Services of one node and without that node, Landfall's controller and speaker as programs of their
 * own, and a bare receiver as the speaker's peer; all on the loopback of whatever network namespace this runs in.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, pathOf, type RawObject, serviceType } from '@landfall/kube'
import { RealApiServer } from '@landfall/kube/testing'
import { BarePeer, until } from '@landfall/speaker/testing'
import { ControllerProcess } from '../../allocator/controller-process.ts'
import { balancer, createServices, each, names, namespace, ServiceWatch } from '../../allocator/services.ts'
import { provideBundles } from '../../nodeless/bundles.ts'
import { freePort } from '../../nodeless/free-port.ts'
import { createPatiently, installRights } from '../../nodeless/manifest.ts'
import { PodProcess, writeAccount } from '../../nodeless/pod-process.ts'

const system = 'metallb-system'
const node = 'n1'
const asn = 65000
/** The schema of a BGPPeer has none above 16384. */
const port = 1790
const startMs = 240_000
/** A program that uses less of a core has nothing to do. */
const idle = 0.1
/** Reports of 5,000 Services are written by and by. */
const quietSeconds = 300
const sliceType = { apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices', namespaced: true }

/** A router beside the receiver. */
export interface Router {
  readonly name: string
  readonly asn: number
  readonly address: string
  readonly port: number
}

export interface StartOptions {
  /** The file of a group that it joins before it starts. */
  readonly group?: string
  /** Told to Node before the program. */
  readonly before?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

export class ServicesStage {
  readonly peer: BarePeer
  readonly cluster: Cluster
  readonly watch: ServiceWatch
  readonly #server: RealApiServer
  readonly #folder = mkdtempSync(join(tmpdir(), 'landfall-bgp-'))
  #controller: ControllerProcess | undefined
  #speaker: PodProcess | undefined
  #services = 0

  private constructor(server: RealApiServer, peer: BarePeer) {
    this.#server = server
    this.peer = peer
    this.cluster = server.cluster()
    this.watch = new ServiceWatch(this.cluster)
  }

  static async start(): Promise<ServicesStage> {
    const groups = `system:serviceaccounts,system:serviceaccounts:${system}`
    const users = { [accountOf('controller')]: groups, [accountOf('speaker')]: groups }
    const stage = new ServicesStage(
      await RealApiServer.start(users),
      await BarePeer.listen({ asn, port, holdSeconds: 0 }),
    )
    try {
      await stage.#install()
    } catch (error) {
      await stage.stop()
      throw error
    }
    return stage
  }

  get speaker(): PodProcess {
    if (this.#speaker === undefined) throw new Error('there is no speaker')
    return this.#speaker
  }

  /** So many Services, all of them announced. */
  async provide(count: number): Promise<void> {
    const all = names('many', count)
    await this.addEndpoints(all)
    await createServices(this.cluster, all)
    await this.watch.count(count, startMs)
    this.#services = count
  }

  async startSpeaker({ group = '', before = [], environment = {} }: StartOptions = {}): Promise<void> {
    const account = writeAccount(this.#server, this.#folderOf('speaker'), system, accountOf('speaker'))
    const ports = [await freePort(), await freePort(), await freePort()]
    const [health, metrics, heartbeats] = ports
    const flags = [`--node-name=${node}`, `--health-probe-port=${health}`, `--port=${metrics}`]
    const bundle = join(await provideBundles(), 'speaker.mjs')
    const argv = [...before, bundle, ...flags, `--ml-bindport=${heartbeats}`, '--ml-bindaddr=127.0.0.1']
    this.#speaker = new PodProcess({
      server: this.#server.access().server,
      account,
      argv,
      environment,
      group,
    })
  }

  /** All that there is has been announced. */
  async announced(): Promise<void> {
    await until('all routes', () => this.peer.routes.size === this.#services, startMs)
  }

  /** What follows a change (reports, events, writes of them) is done. */
  async quiet(): Promise<void> {
    const programs = [this.speaker, this.#controller].filter((one) => one !== undefined)
    const used = () => programs.map((one) => one.cpuSeconds())
    for (let before = used(), left = quietSeconds; left > 0; left--) {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      const now = used()
      if (now.every((seconds, i) => seconds - (before[i] ?? 0) < idle)) return
      before = now
    }
    throw new Error('controller and speaker do not come to rest')
  }

  /** The speaker knows of endpoints that no Service has yet. */
  async addEndpoints(all: readonly string[]): Promise<void> {
    const path = pathOf(sliceType, { namespace })
    await each(all, (name) => this.cluster.request({ method: 'POST', path, body: endpointsOf(name) }))
  }

  /** One more than there were. */
  async create(name: string): Promise<void> {
    await this.cluster.create(serviceType, balancer(name))
    this.#services++
  }

  async remove(name: string): Promise<void> {
    await this.cluster.delete(serviceType, `${namespace}/${name}`)
    this.#services--
  }

  async addRouter({ name, asn: peerASN, address, port: peerPort }: Router, more: object = {}): Promise<void> {
    const spec = { myASN: asn, peerASN, peerAddress: address, peerPort, ...more }
    await this.#object('BGPPeer', 'v1beta2', 'bgppeers', name, spec)
  }

  async addProfile(name: string, spec: object): Promise<void> {
    await this.#object('BFDProfile', 'v1beta1', 'bfdprofiles', name, spec)
  }

  async stop(): Promise<void> {
    this.watch.stop()
    await this.#speaker?.end('SIGKILL')
    await this.#controller?.end('SIGKILL')
    await this.peer.close()
    this.cluster.close()
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #install(): Promise<void> {
    await installRights(this.cluster, 'metallb.yaml')
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } }
    await this.cluster.request({ method: 'POST', path: '/api/v1/nodes', body })
    await this.#object('IPAddressPool', 'v1beta1', 'ipaddresspools', 'pool', { addresses: ['198.18.0.0/16'] })
    await this.#object('BGPAdvertisement', 'v1beta1', 'bgpadvertisements', 'all', {})
    await this.addRouter({ name: 'receiver', asn, address: '127.0.0.1', port: this.peer.port })
    await this.watch.start()
    const { server } = this.#server.access()
    const account = writeAccount(this.#server, this.#folderOf('controller'), system, accountOf('controller'))
    const bundle = join(await provideBundles(), 'controller.mjs')
    const name = 'controller-1'
    const controller = await ControllerProcess.start({ name, server, account, bundle, group: undefined })
    this.#controller = controller
    while (!(await controller.isReady())) await new Promise((resolve) => setTimeout(resolve, 100))
  }

  async #object(kind: string, version: string, plural: string, name: string, spec: object): Promise<void> {
    const apiVersion = `metallb.io/${version}`
    const path = pathOf({ apiVersion, plural, namespaced: true }, { namespace: system })
    await createPatiently(this.cluster, path, {
      apiVersion,
      kind,
      metadata: { name, namespace: system },
      spec,
    })
  }

  #folderOf(program: string): string {
    return mkdtempSync(join(this.#folder, program))
  }
}

function accountOf(program: string): string {
  return `system:serviceaccount:${system}:${program}`
}

function endpointsOf(service: string): RawObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: service, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.1'], nodeName: node, conditions: { ready: true } }],
    ports: [{ port: 8080, protocol: 'TCP' }],
  }
}
