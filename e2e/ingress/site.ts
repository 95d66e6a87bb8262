/**
 * Where ingress is measured and struck: a real API server without nodes, `serve` as its image runs it with a pod's
 * credentials, a real Envoy over mutual TLS, and backends. All on loopback of a network of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Cluster } from '@landfall/kube'
import { RealApiServer } from '@landfall/kube/testing'
import { silentProgress } from '../lab/index.ts'
import { catalogue } from '../lab/parts/catalogue.ts'
import { resolveParts } from '../lab/parts/resolve.ts'
import { provideBundles } from '../nodeless/bundles.ts'
import { freePort } from '../nodeless/free-port.ts'
import { createPatiently, installRights } from '../nodeless/manifest.ts'
import { PodProcess, writeAccount } from '../nodeless/pod-process.ts'
import { type Bootstrap, Envoy } from './envoy.ts'
import { backendPort, namespace, Objects, proxyObject } from './objects.ts'
import type { Entry } from './prober.ts'

const own = 'projectcontour'
const account = `system:serviceaccount:${own}:contour`
/** As images/Containerfile sets them. */
const nodeOptions = '--max-semi-space-size=16 --v8-pool-size=1 --disable-warning=ExperimentalWarning'

interface Ports {
  readonly xds: number
  readonly metrics: number
  readonly debug: number
  readonly http: number
  readonly https: number
  readonly stats: number
}

export class IngressSite {
  readonly server: RealApiServer
  readonly cluster: Cluster
  readonly objects: Objects
  readonly folder: string
  readonly ports: Ports
  readonly #account: string
  readonly #bundle: string
  readonly #envoyBinary: string
  #serve: PodProcess | undefined
  #envoy: Envoy | undefined
  #bootstrapped = false
  #flags: readonly string[] = []

  private constructor(server: RealApiServer, ports: Ports, bundle: string, envoyBinary: string) {
    this.server = server
    this.cluster = server.cluster()
    this.objects = new Objects(this.cluster)
    this.folder = mkdtempSync(join(tmpdir(), 'landfall-ingress-'))
    mkdirSync(join(this.folder, 'pod'))
    this.#account = writeAccount(server, join(this.folder, 'pod'), own, account)
    this.ports = ports
    this.#bundle = bundle
    this.#envoyBinary = envoyBinary
  }

  /** @param bundles their folder, if not of the sources as they are */
  static async start(bundles?: string): Promise<IngressSite> {
    const bundle = join(bundles ?? (await provideBundles()), 'contour.mjs')
    const envoy = catalogue.filter(({ name }) => name === 'envoy')
    const parts = await resolveParts(silentProgress, envoy)
    const groups = `system:serviceaccounts,system:serviceaccounts:${own}`
    const server = await RealApiServer.start({ [account]: groups })
    const [xds, metrics, debug] = [await freePort(), await freePort(), await freePort()]
    const [http, https, stats] = [await freePort(), await freePort(), await freePort()]
    const site = new IngressSite(server, { xds, metrics, debug, http, https, stats }, bundle, parts.envoy)
    try {
      await installRights(site.cluster, 'contour.yaml')
      await site.objects.create('namespace', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      })
      const path = `/apis/projectcontour.io/v1/namespaces/${namespace}/httpproxies`
      await createPatiently(site.cluster, path, proxyObject('first'))
      await site.objects.delete('proxy', 'first')
      const certs = join(site.folder, 'certs')
      await promisify(execFile)(process.execPath, [bundle, 'certgen', '--pem', certs])
    } catch (error) {
      await site.stop()
      throw error
    }
    return site
  }

  get serve(): PodProcess {
    if (this.#serve === undefined) throw new Error('serve was not started')
    return this.#serve
  }

  get envoy(): Envoy {
    if (this.#envoy === undefined) throw new Error('Envoy was not started')
    return this.#envoy
  }

  entry(tls: boolean): Entry {
    return { port: tls ? this.ports.https : this.ports.http, tls }
  }

  /** A certificate between Envoy and the control plane, by its name in `certgen --pem`. */
  certificate(name: string): string {
    return join(this.folder, 'certs', name)
  }

  /** What contour.yaml says from the next start of serve on. */
  configure(settings: object): void {
    const path = join(this.folder, 'contour.yaml')
    writeFileSync(path, JSON.stringify(settings))
    this.#flags = [`--config-path=${path}`]
  }

  /** @param node flags of Node itself */
  startServe(node: readonly string[] = []): PodProcess {
    const { xds, metrics, debug, http, https, stats } = this.ports
    const flags = [
      '--incluster',
      '--disable-leader-election',
      `--xds-port=${xds}`,
      `--contour-cafile=${this.certificate('cacert.pem')}`,
      `--contour-cert-file=${this.certificate('contourcert.pem')}`,
      `--contour-key-file=${this.certificate('contourkey.pem')}`,
      '--http-address=127.0.0.1',
      `--http-port=${metrics}`,
      '--health-address=127.0.0.1',
      `--health-port=${metrics}`,
      `--debug-http-port=${debug}`,
      '--stats-address=127.0.0.1',
      `--stats-port=${stats}`,
      '--envoy-service-http-address=127.0.0.1',
      `--envoy-service-http-port=${http}`,
      '--envoy-service-https-address=127.0.0.1',
      `--envoy-service-https-port=${https}`,
      '--envoy-http-access-log=/dev/null',
      '--envoy-https-access-log=/dev/null',
      ...this.#flags,
    ]
    this.#serve = new PodProcess({
      server: this.server.access().server,
      account: this.#account,
      argv: [...node, this.#bundle, 'serve', ...flags],
      environment: { CONTOUR_NAMESPACE: own, NODE_OPTIONS: nodeOptions },
    })
    return this.#serve
  }

  /** @param bootstrap of the first; the others start on the same */
  async startEnvoy(bootstrap: Bootstrap = 'ours'): Promise<Envoy> {
    const { folder, ports } = this
    const binary = this.#envoyBinary
    this.#envoy = this.#bootstrapped
      ? Envoy.again(binary, folder)
      : await Envoy.start({ binary, bundle: this.#bundle, folder, xdsPort: ports.xds, bootstrap })
    this.#bootstrapped = true
    return this.#envoy
  }

  /** Sums of metrics of serve over their labels, by name. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.metrics}/metrics`)
    const sums = new Map<string, number>()
    for (const [, name = '', value] of (await answer.text()).matchAll(/^(\w+)(?:\{[^}]*\})? (\S+)$/gm))
      sums.set(name, (sums.get(name) ?? 0) + Number(value))
    return sums
  }

  async endPrograms(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await Promise.all([this.#serve?.end(signal), this.#envoy?.end()])
  }

  async stop(): Promise<void> {
    await this.endPrograms('SIGKILL')
    this.cluster.close()
    await this.server.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** One for all sites of the network. @returns what ends it */
export async function startBackends(): Promise<() => void> {
  const program = join(import.meta.dirname, 'backend-main.ts')
  const child: ChildProcess = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', process.execPath, program, String(backendPort)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  if (child.stdout === null) throw new Error('no standard output')
  await once(child.stdout, 'data')
  return () => void child.kill()
}
