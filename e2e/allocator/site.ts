/**
 * Where the allocator is measured and struck: a real API server without nodes, with Landfall's definitions and roles,
 * and controllers in processes of their own that have a pod's credentials and no more.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, pathOf, type RawObject } from '@landfall/kube'
import { RealApiServer } from '@landfall/kube/testing'
import { parseAllDocuments } from 'yaml'
import { ControllerProcess } from './controller-process.ts'
import type { MemoryGroup } from './memory-group.ts'

const namespace = 'metallb-system'
const account = `system:serviceaccount:${namespace}:controller`
const root = join(import.meta.dirname, '..', '..')
const manifest = join(root, 'manifests', 'metallb.yaml')

/** What of the manifest counts where there are no nodes. */
const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  CustomResourceDefinition: 'customresourcedefinitions',
}

let bundles: Promise<string> | undefined
let discard = () => {}

/** Built once a process, of the sources as they are then, and taken away at its end at the latest. */
function provideBundles(): Promise<string> {
  bundles ??= build()
  return bundles
}

/** For a process that may be ended without notice. */
export function discardBundles(): void {
  discard()
  bundles = undefined
}

async function build(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-bundles-'))
  discard = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', discard)
  // Outside of what the compiler sees: the build's own script.
  const script = new URL('../../scripts/build.ts', import.meta.url)
  const built: { buildBundles(out: string): Promise<string> } = await import(script.href)
  return await built.buildBundles(join(folder, 'bundles'))
}

export class AllocatorSite {
  readonly server: RealApiServer
  readonly cluster: Cluster
  /** Of what a pod finds of its service account. */
  readonly #folder: string
  readonly #controllers: ControllerProcess[] = []

  private constructor(server: RealApiServer) {
    this.server = server
    this.cluster = server.cluster()
    this.#folder = mkdtempSync(join(tmpdir(), 'landfall-allocator-'))
    const { ca } = server.access().tls()
    mkdirSync(join(this.#folder, 'account'))
    const files = { 'ca.crt': String(ca), token: account, namespace }
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.#folder, 'account', name), text)
    }
  }

  /** @param pools name to addresses */
  static async start(pools: Readonly<Record<string, string>>): Promise<AllocatorSite> {
    const groups = `system:serviceaccounts,system:serviceaccounts:${namespace}`
    const site = new AllocatorSite(await RealApiServer.start({ [account]: groups }))
    try {
      for (const document of parseAllDocuments(readFileSync(manifest, 'utf8'))) {
        const object: RawObject | null = document.toJS()
        if (object !== null && plurals[object.kind ?? ''] !== undefined) await site.#create(object)
      }
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
    const object = { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', ...body }
    for (let tries = 0; ; tries++) {
      try {
        await this.cluster.request({ method: 'POST', path, body: object })
        return
      } catch (error) {
        if (tries >= 100) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** @param name of its pod */
  async startController(name: string, group?: MemoryGroup): Promise<ControllerProcess> {
    const { server } = this.server.access()
    const account = join(this.#folder, 'account')
    const bundle = join(await provideBundles(), 'controller.mjs')
    const controller = await ControllerProcess.start({ name, server, account, bundle, group })
    this.#controllers.push(controller)
    return controller
  }

  async stop(): Promise<void> {
    for (const controller of this.#controllers) await controller.end('SIGKILL')
    this.cluster.close()
    await this.server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #create(object: RawObject): Promise<void> {
    const { apiVersion = '', kind = '', metadata } = object
    const type = { apiVersion, plural: plurals[kind] ?? '', namespaced: metadata.namespace !== undefined }
    const at = metadata.namespace === undefined ? {} : { namespace: metadata.namespace }
    await this.cluster.request({ method: 'POST', path: pathOf(type, at), body: object })
  }
}
