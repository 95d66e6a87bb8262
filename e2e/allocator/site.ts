/**
 * Where the allocator is measured and struck: a real API server without nodes, with Landfall's definitions and roles,
 * and controllers in processes of their own that have a pod's credentials and no more.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '@landfall/kube'
import { RealApiServer } from '@landfall/kube/testing'
import type { LimitedGroup } from '../cgroup/limited-group.ts'
import { provideBundles } from '../nodeless/bundles.ts'
import { createPatiently, installRights } from '../nodeless/manifest.ts'
import { writeAccount } from '../nodeless/pod-process.ts'
import { ControllerProcess } from './controller-process.ts'

const namespace = 'metallb-system'
const account = `system:serviceaccount:${namespace}:controller`

export class AllocatorSite {
  readonly server: RealApiServer
  readonly cluster: Cluster
  /** Of what a pod finds of its service account. */
  readonly #folder: string
  readonly #account: string
  readonly #controllers: ControllerProcess[] = []

  private constructor(server: RealApiServer) {
    this.server = server
    this.cluster = server.cluster()
    this.#folder = mkdtempSync(join(tmpdir(), 'landfall-allocator-'))
    this.#account = writeAccount(server, this.#folder, namespace, account)
  }

  /** @param pools name to addresses */
  static async start(pools: Readonly<Record<string, string>>): Promise<AllocatorSite> {
    const groups = `system:serviceaccounts,system:serviceaccounts:${namespace}`
    const site = new AllocatorSite(await RealApiServer.start({ [account]: groups }))
    try {
      await installRights(site.cluster, 'metallb.yaml')
      for (const [name, addresses] of Object.entries(pools)) await site.createPool(name, addresses)
    } catch (error) {
      await site.stop()
      throw error
    }
    return site
  }

  /** Waits for the definition, which is served a moment after it is there. */
  async createPool(name: string, addresses: string): Promise<void> {
    const path = `/apis/metallb.io/v1beta1/namespaces/${namespace}/ipaddresspools`
    const body = { metadata: { namespace, name }, spec: { addresses: [addresses] } }
    await createPatiently(this.cluster, path, {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      ...body,
    })
  }

  /** @param name of its pod */
  async startController(name: string, group?: LimitedGroup): Promise<ControllerProcess> {
    const { server } = this.server.access()
    const bundle = join(await provideBundles(), 'controller.mjs')
    const controller = await ControllerProcess.start({ name, server, account: this.#account, bundle, group })
    this.#controllers.push(controller)
    return controller
  }

  /** Of each controller that there was, resident at most. */
  peaksMiB(): readonly number[] {
    return this.#controllers.map((one) => one.peakMiB())
  }

  async stop(): Promise<void> {
    for (const controller of this.#controllers) await controller.end('SIGKILL')
    this.cluster.close()
    await this.server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
