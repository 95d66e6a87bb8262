/** For tests: replicas of `serve` and Envoys in pods that are no pods, with volumes that follow Secrets as the kubelet's do. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Access,
  Cluster,
  endpointSliceType,
  type Page,
  projectMeta,
  type RawObject,
  Reflector,
  type ResourceType,
  secretType,
} from '@landfall/kube'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { writeBootstrap } from '../bootstrap/index.ts'
import type { Settings } from '../configuration/settings.ts'
import { freePort, makeDirectory, RealEnvoy } from '../envoy-process/envoy-process.ts'
import { textsIn } from '../renewal/secrets.ts'
import { Serve } from './serve.ts'
import { serveOptions } from './serve-options.ts'

const watchedSecret: ResourceType<{
  readonly meta: ReturnType<typeof projectMeta>
  readonly raw: RawObject
}> = {
  ...secretType,
  project: (raw) => ({ meta: projectMeta(raw), raw }),
}

/** What a Secret holds, whenever it changes. @returns what ends it */
export function followSecret(
  cluster: Cluster,
  namespace: string,
  name: string,
  onData: (data: Readonly<Record<string, string>>) => void,
): () => void {
  const reflector = new Reflector({
    cluster,
    type: watchedSecret,
    logger: silentLogger(),
    namespace,
    fieldSelector: `metadata.name=${name}`,
    onChange: (changes) => {
      for (const { after } of changes) onData(after === undefined ? {} : textsIn(after.raw))
    },
  })
  reflector.start()
  return () => reflector.stop()
}

/** As the kubelet writes it: all files at once, by the swap of a symlink, and late. */
export class Volume {
  readonly directory = makeDirectory()
  readonly #lateMs: number
  #last: Promise<void> = Promise.resolve()
  readonly #end: () => void

  constructor(cluster: Cluster, namespace: string, secret: string, lateMs: number) {
    this.#lateMs = lateMs
    this.#end = followSecret(cluster, namespace, secret, (data) => {
      this.#last = this.#last.then(() => this.#write(data))
    })
  }

  async #write(data: Readonly<Record<string, string>>): Promise<void> {
    await delay(this.#lateMs)
    const version = `..${randomUUID()}`
    await mkdir(join(this.directory, version))
    for (const [name, text] of Object.entries(data)) {
      await writeFile(join(this.directory, version, name), text)
      await symlink(join('..data', name), join(this.directory, name)).catch(() => undefined)
    }
    await symlink(version, join(this.directory, '..data_tmp'))
    await rename(join(this.directory, '..data_tmp'), join(this.directory, '..data'))
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /** '' before it is there. */
  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8').catch(() => '')
  }

  get tls() {
    return { ca: this.path('ca.crt'), certificate: this.path('tls.crt'), key: this.path('tls.key') }
  }

  async stop(): Promise<void> {
    this.#end()
    await this.#last
    await rm(this.directory, { recursive: true })
  }
}

/** Where an address of the documentation is a pod's: the API server takes none of the loopback. */
class PodNetwork extends Cluster {
  cut = false
  /** Names of Secrets, in the order of writing. */
  readonly written: string[] = []

  override async list(...of: Parameters<Cluster['list']>): Promise<Page> {
    const page = await super.list(...of)
    if (of[0].kind !== endpointSliceType.kind) return page
    return JSON.parse(JSON.stringify(page).replaceAll(/192\.0\.2\.\d+/g, '127.0.0.1'))
  }

  override async request<T = RawObject>(...of: Parameters<Cluster['request']>): Promise<T> {
    if (this.cut) throw new Error('the network is gone')
    return super.request<T>(...of)
  }

  override async update(...of: Parameters<Cluster['update']>): Promise<RawObject> {
    const answer = await super.update(...of)
    if (of[0].kind === 'Secret') this.written.push(of[1].metadata.name)
    return answer
  }
}

export interface ReplicaOptions {
  readonly access: Access
  readonly namespace: string
  readonly name: string
  readonly volume: Volume
  readonly settings: Settings
}

export class Replica {
  readonly #ended = new AbortController()
  readonly cluster: PodNetwork
  readonly metrics = new Metrics('0')
  readonly name: string
  readonly port: number
  readonly #serve: Serve
  readonly #running: Promise<void>

  private constructor(
    { access, namespace, name, volume, settings }: ReplicaOptions,
    ports: readonly number[],
  ) {
    const [port = 0, metricsPort = 0, debugPort = 0] = ports
    this.name = name
    this.port = port
    this.cluster = new PodNetwork(access, `${name}/0`)
    const { ca: xdsCa, certificate: xdsCertificate, key: xdsKey } = volume.tls
    const here = '127.0.0.1'
    const options = serveOptions(
      {
        metricsAddress: here,
        metricsPort,
        healthAddress: here,
        healthPort: metricsPort,
        debugPort,
        xdsAddress: here,
        xdsPort: port,
        xdsCa,
        xdsCertificate,
        xdsKey,
        ...settings,
      },
      {
        version: '0',
        signal: this.#ended.signal,
        configuration: { kind: 'flags' },
        namespace,
        leaderElection: {
          name: 'leader-elect',
          namespace,
          identity: name,
          leaseSeconds: 4,
          renewSeconds: 3,
          retrySeconds: 0.5,
        },
        disabledFeatures: [],
      },
    )
    this.#serve = new Serve({ ...options, logger: silentLogger() }, this.cluster, this.metrics)
    this.#running = this.#serve.run()
  }

  static async start(options: ReplicaOptions): Promise<Replica> {
    return new Replica(options, [await freePort(), await freePort(), await freePort()])
  }

  get isLeader(): boolean {
    return this.#serve.isLeader
  }

  async stop(): Promise<void> {
    this.cluster.cut = false
    this.#ended.abort()
    await this.#running
    await this.#serve.stop()
    this.cluster.close()
  }
}

export async function startEnvoy(volume: Volume, nodeId: string, xdsPort: number): Promise<RealEnvoy> {
  const directory = makeDirectory()
  await writeBootstrap({
    logger: silentLogger(),
    path: join(directory, 'bootstrap.json'),
    nodeId,
    nodeCluster: 'projectcontour',
    xdsAddress: '127.0.0.1',
    xdsPort,
    adminAddress: join(directory, 'admin.sock'),
    dnsLookupFamily: 'auto',
    tls: volume.tls,
    resourcesDirectory: join(directory, 'resources'),
    maximumHeapBytes: undefined,
    maximumDownstreamConnections: undefined,
  })
  return new RealEnvoy(directory)
}
