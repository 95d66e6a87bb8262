/**
 * A real etcd and kube-apiserver on loopback, for tests: ports and folder of its own, token authentication, RBAC.
 * The binaries are the lab's parts, or those that LANDFALL_ETCD and LANDFALL_KUBE_APISERVER name.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Access } from '../access.ts'
import { Cluster } from '../cluster.ts'
import { awaited } from './awaited.ts'

const parts = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'landfall', 'parts')

export interface Binaries {
  readonly etcd: string
  readonly apiServer: string
}

/** @returns a sentence that says what is missing, when something is */
export function findBinaries(): Binaries | string {
  const etcd = process.env['LANDFALL_ETCD'] || newest('etcd', 'etcd')
  const apiServer = process.env['LANDFALL_KUBE_APISERVER'] || newest('kubernetes', 'kube-apiserver')
  if (etcd === undefined) return `no etcd in ${parts}; LANDFALL_ETCD may name one`
  if (apiServer === undefined) return `no kube-apiserver in ${parts}; LANDFALL_KUBE_APISERVER may name one`
  return { etcd, apiServer }
}

/** For `skipIf`: says what is missing, when something is; where nothing may be skipped the tests run, and fail. */
export function withoutApiServer(): boolean {
  const binaries = findBinaries()
  if (typeof binaries !== 'string' || process.env['LANDFALL_NO_SKIP'] === '1') return false
  process.stdout.write(`skipped, for there is ${binaries}\n`)
  return true
}

function newest(part: string, binary: string): string | undefined {
  const folder = join(parts, part)
  if (!existsSync(folder)) return undefined
  const versions = readdirSync(folder).toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return versions.map((version) => join(folder, version, binary)).find((path) => existsSync(path))
}

/** What a command printed. */
export interface Ran {
  readonly ok: boolean
  readonly stdout: string
  readonly stderr: string
}

export class RealApiServer {
  readonly #binaries: Binaries
  readonly #folder: string
  readonly #etcdPort: number
  readonly #port: number
  readonly #flags: readonly string[]
  #etcd: ChildProcess | undefined
  #apiServer: ChildProcess | undefined

  private constructor(
    binaries: Binaries,
    folder: string,
    ports: readonly [number, number],
    flags: readonly string[],
  ) {
    this.#flags = flags
    this.#binaries = binaries
    this.#folder = folder
    this.#etcdPort = ports[0]
    this.#port = ports[1]
  }

  /**
   * @param users name of each user to the groups; its token is its name
   * @param flags of kube-apiserver, besides those that it always has
   */
  static async start(
    users: Readonly<Record<string, string>> = {},
    flags: readonly string[] = [],
  ): Promise<RealApiServer> {
    const binaries = findBinaries()
    if (typeof binaries === 'string') throw new Error(binaries)
    for (let tries = 1; ; tries++) {
      try {
        return await RealApiServer.#start(binaries, users, flags)
      } catch (error) {
        // Others may have taken a port meanwhile.
        if (tries === 3) throw error
      }
    }
  }

  static async #start(
    binaries: Binaries,
    users: Readonly<Record<string, string>>,
    flags: readonly string[],
  ): Promise<RealApiServer> {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'landfall-kube-'))
    const server = new RealApiServer(binaries, folder, [await freePort(), await freePort()], flags)
    const all = { admin: 'system:masters', ...users }
    const rows = Object.entries(all).map(([name, groups]) => `${name},${name},${name},"${groups}"`)
    writeFileSync(join(folder, 'tokens.csv'), `${rows.join('\n')}\n`)
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    writeFileSync(join(folder, 'sa.key'), key.export({ type: 'pkcs1', format: 'pem' }))
    try {
      await server.#startEtcd()
      await server.startApiServer()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  access(user = 'admin'): Access {
    const ca = readFileSync(join(this.#folder, 'certs', 'apiserver.crt'))
    const tls = { ca }
    return {
      server: new URL(`https://127.0.0.1:${this.#port}`),
      namespace: 'default',
      tls: () => tls,
      headers: () => Promise.resolve({ authorization: `Bearer ${user}` }),
      refused: () => {},
    }
  }

  /** The text of one for the user `admin`. */
  kubeconfig(): string {
    const access = this.access()
    const ca = Buffer.from(String(access.tls().ca)).toString('base64')
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: access.server.href, 'certificate-authority-data': ca } }],
      users: [{ name: 'test', user: { token: 'admin' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    })
  }

  cluster(user = 'admin'): Cluster {
    return new Cluster(this.access(user), `test-${user}/0`)
  }

  /** As the user `admin`. @param input what `-f -` reads */
  async kubectl(args: readonly string[], input = ''): Promise<Ran> {
    const binary = process.env['LANDFALL_KUBECTL'] || newest('kubernetes', 'kubectl')
    if (binary === undefined) throw new Error(`no kubectl in ${parts}; LANDFALL_KUBECTL may name one`)
    const flags = [
      '--kubeconfig=/dev/null',
      `--server=https://127.0.0.1:${this.#port}`,
      `--certificate-authority=${join(this.#folder, 'certs', 'apiserver.crt')}`,
      '--token=admin',
      `--cache-dir=${join(this.#folder, 'kubectl')}`,
    ]
    return await new Promise((resolve) => {
      const child = execFile(binary, [...flags, ...args], (error, stdout, stderr) =>
        resolve({ ok: error === null, stdout, stderr }),
      )
      child.stdin?.end(input)
    })
  }

  /** @throws what kubectl wrote to standard error */
  async run(args: readonly string[], input = ''): Promise<string> {
    const { ok, stdout, stderr } = await this.kubectl(args, input)
    if (!ok) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Objects, and definitions until they are served. */
  async apply(...items: readonly object[]): Promise<void> {
    await this.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    const kinds = items.flatMap(definedBy)
    if (kinds.length === 0) return
    await this.run(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
    // They are said to be established before everybody is told of them.
    const isServed = () => this.kubectl(['get', '--all-namespaces', kinds.join()]).then(({ ok }) => ok)
    if ((await awaited(isServed, true)) !== true) throw new Error(`not served: ${kinds.join()}`)
  }

  async startApiServer(): Promise<void> {
    const serviceAccountKey = join(this.#folder, 'sa.key')
    this.#apiServer = this.#spawn('kube-apiserver', this.#binaries.apiServer, [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${this.#port}`,
      `--cert-dir=${join(this.#folder, 'certs')}`,
      `--token-auth-file=${join(this.#folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      '--profiling=false',
      ...this.#flags,
    ])
    await this.#untilReady('kube-apiserver', this.#apiServer, () => this.#isReady())
  }

  /** As a crash does. */
  async killApiServer(): Promise<void> {
    await kill(this.#apiServer)
  }

  async stop(): Promise<void> {
    await kill(this.#apiServer)
    await kill(this.#etcd)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #startEtcd(): Promise<void> {
    const url = `http://127.0.0.1:${this.#etcdPort}`
    this.#etcd = this.#spawn('etcd', this.#binaries.etcd, [
      `--data-dir=${join(this.#folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${await freePort()}`,
      '--log-level=error',
    ])
    // The API server gives it a few seconds, and ends then.
    await this.#untilReady('etcd', this.#etcd, () => fetch(`${url}/health`).then(({ ok }) => ok))
  }

  async #untilReady(name: string, child: ChildProcess, look: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 60_000
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${this.#lastLog(name)}`)
      const ready = await look().catch(() => false)
      if (ready) return
      if (performance.now() > end) throw new Error(`${name} is not ready: ${this.#lastLog(name)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async #isReady(): Promise<boolean> {
    const cluster = this.cluster()
    try {
      await cluster.request({ method: 'GET', path: '/api/v1/namespaces/default', timeoutMs: 1000 })
      // RBAC's own roles are there only after its hook has run.
      await cluster.request({
        method: 'GET',
        path: '/apis/rbac.authorization.k8s.io/v1/clusterroles/edit',
        timeoutMs: 1000,
      })
      return true
    } finally {
      cluster.close()
    }
  }

  #lastLog(name: string): string {
    return readFileSync(join(this.#folder, `${name}.log`), 'utf8').slice(-2000)
  }

  /** Ends with this process, however that ends, where the system can see to it. */
  #spawn(name: string, binary: string, flags: readonly string[]): ChildProcess {
    const log = openSync(join(this.#folder, `${name}.log`), 'a')
    const stdio: ['ignore', number, number] = ['ignore', log, log]
    const setpriv = '/usr/bin/setpriv'
    return existsSync(setpriv)
      ? spawn(setpriv, ['--pdeathsig', 'KILL', binary, ...flags], { stdio })
      : spawn(binary, flags, { stdio })
  }
}

/** The kind that it defines, as kubectl takes it. */
function definedBy(item: object): readonly string[] {
  const { kind, metadata } = item as { readonly kind?: string; readonly metadata: { readonly name: string } }
  return kind === 'CustomResourceDefinition' ? [metadata.name] : []
}

function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
