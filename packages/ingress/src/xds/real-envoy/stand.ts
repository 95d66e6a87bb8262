/** For tests: our server and a real Envoy that follows it over mutual TLS, both on loopback. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { Agent, createServer, get, type Server } from 'node:http'
import { get as getTls, Agent as TlsAgent } from 'node:https'
import { join } from 'node:path'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { type BootstrapOptions, writeBootstrap } from '../../bootstrap/index.ts'
import { type CertificateSet, makeCertificates } from '../../certgen/certificates.ts'
import { eventually, freePort, makeDirectory, RealEnvoy } from '../../envoy-process/envoy-process.ts'
import { defaultClientNames } from '../client-names.ts'
import type { Layout } from '../layout.ts'
import type { Snapshot } from '../resource.ts'
import { XdsServer } from '../server.ts'
import type { Refused } from '../session/hub.ts'
import { type Plain, snapshot } from '../session/script.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** By which variant of the protocol an Envoy comes; `streams` is Contour's way: one for each thing. */
export type Way = 'delta' | 'full' | 'streams'

export class Stand {
  readonly directory = makeDirectory()
  metrics = new Metrics('test')
  readonly refused: Refused[] = []
  readonly cleared: string[] = []
  httpPort = 0
  httpsPort = 0
  xdsPort = 0
  server!: XdsServer
  certificates!: CertificateSet
  envoy: RealEnvoy | undefined
  readonly #layouts = new Set<Layout>(['scoped'])
  #snapshots: ((layout: Layout) => Snapshot) | undefined
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  readonly #backends: Server[] = []

  async open(): Promise<this> {
    this.httpPort = await freePort()
    this.httpsPort = await freePort()
    this.xdsPort = await freePort()
    await this.writeCertificates(await makeCertificates({ namespace: 'projectcontour', lifetimeDays: 1 }))
    await this.startServer()
    return this
  }

  async writeCertificates(set: CertificateSet): Promise<void> {
    const files = {
      'ca.crt': set.ca,
      'server.crt': set.server.certificate,
      'server.key': set.server.key,
      'tls.crt': set.client.certificate,
      'tls.key': set.client.key,
    }
    this.certificates = set
    // By renaming, as a Secret's volume does; that is what Envoy watches for.
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.directory, name)
      await writeFile(`${path}.new`, text)
      await rename(`${path}.new`, path)
    }
  }

  async startServer(): Promise<void> {
    this.metrics = new Metrics('test')
    this.server = new XdsServer({
      logger: silentLogger(),
      metrics: this.metrics,
      address: '127.0.0.1',
      port: this.xdsPort,
      security: {
        kind: 'tls',
        clientNames: defaultClientNames,
        files: {
          ca: join(this.directory, 'ca.crt'),
          certificate: join(this.directory, 'server.crt'),
          key: join(this.directory, 'server.key'),
        },
      },
      onRefused: (refused) => this.refused.push(refused),
      onCleared: ({ type, name }) => this.cleared.push(`${type}/${name}`),
      onLayout: (layout) => {
        this.#layouts.add(layout)
        if (this.#snapshots !== undefined) this.publishEach(this.#snapshots)
      },
    })
    await this.server.start()
  }

  /** @param nameServer port of the one on loopback that Envoy asks; of none, if not told */
  async startEnvoy(
    way: Way = 'delta',
    nameServer = closedPort,
    limits: Partial<BootstrapOptions> = {},
  ): Promise<RealEnvoy> {
    const path = join(this.directory, 'bootstrap.json')
    await writeBootstrap({
      logger: silentLogger(),
      path,
      nodeId: 'envoy-test',
      nodeCluster: 'projectcontour',
      xdsAddress: '127.0.0.1',
      xdsPort: this.xdsPort,
      adminAddress: join(this.directory, 'admin.sock'),
      dnsLookupFamily: 'auto',
      tls: {
        ca: join(this.directory, 'ca.crt'),
        certificate: join(this.directory, 'tls.crt'),
        key: join(this.directory, 'tls.key'),
      },
      resourcesDirectory: join(this.directory, 'resources'),
      maximumHeapBytes: undefined,
      maximumDownstreamConnections: undefined,
      ...limits,
    })
    if (way !== 'delta') await writeFile(path, fullState(await readFile(path, 'utf8'), way))
    const bootstrap = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, JSON.stringify({ ...bootstrap, ...namesFrom(nameServer) }))
    this.envoy = new RealEnvoy(this.directory)
    return this.envoy
  }

  /** Responses that the running server sent, by type. */
  async sent(): Promise<Readonly<Record<string, number>>> {
    const lines = (await this.metrics.exposition()).matchAll(
      /^landfall_xds_responses_total\{type="(.*)"\} (\d+)/gm,
    )
    return Object.fromEntries([...lines].map(([, type = '', count]) => [type, Number(count)]))
  }

  publish(plain: Plain): void {
    this.server.publish(snapshot(plain))
  }

  /** Publishes the layout of each Envoy that is there, or comes later. */
  publishEach(snapshots: (layout: Layout) => Snapshot): void {
    this.#snapshots = snapshots
    for (const layout of this.#layouts) this.server.publish(snapshots(layout), layout)
  }

  /** A backend that answers with its own name. */
  async backend(name: string): Promise<number> {
    const server = createServer((_request, response) => response.end(name)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#backends.push(server)
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  }

  /** Undefined when the connection is refused. */
  http(host: string, path = '/', port = this.httpPort): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, path, headers: { host }, agent: this.#agent }
      const call = get(options, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
      call.on('error', () => resolve(undefined))
    })
  }

  async answers(host: string, body: string, port = this.httpPort): Promise<void> {
    await eventually(`${host} answers ${body}`, async () =>
      (await this.http(host, '/', port))?.body === body ? true : undefined,
    )
  }

  /** With a new connection: the answer and the certificate that the listener showed. */
  https(host: string): Promise<(Answer & { readonly fingerprint: string }) | undefined> {
    return new Promise((resolve) => {
      const agent = new TlsAgent({ keepAlive: false, maxCachedSessions: 0 })
      const options = {
        host: '127.0.0.1',
        port: this.httpsPort,
        path: '/',
        headers: { host },
        servername: host,
        rejectUnauthorized: false,
        agent,
      }
      let fingerprint = ''
      const call = getTls(options, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, fingerprint }))
      })
      call.on('socket', (socket) => {
        socket.on('secureConnect', () => {
          if ('getPeerCertificate' in socket && typeof socket.getPeerCertificate === 'function') {
            fingerprint = String(socket.getPeerCertificate().fingerprint256)
          }
        })
      })
      call.on('error', () => resolve(undefined))
    })
  }

  /** Closes the connections to Envoy's listeners that `http` keeps. */
  hangUp(): void {
    this.#agent.destroy()
  }

  async close(): Promise<void> {
    this.hangUp()
    await this.envoy?.stop()
    await this.server.stop()
    rmSync(this.directory, { recursive: true, force: true })
    for (const backend of this.#backends) {
      backend.closeAllConnections()
      backend.close()
    }
  }
}

/** Nothing listens there. */
const closedPort = 1

/** Without it Envoy asks the name servers of the machine. */
function namesFrom(port: number): object {
  const resolver = { socket_address: { protocol: 'UDP', address: '127.0.0.1', port_value: port } }
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
    resolvers: [resolver],
    dns_resolver_options: { no_default_search_domain: true },
  }
  return { typed_dns_resolver_config: { name: 'envoy.network.dns_resolver.cares', typed_config } }
}

/** The bootstrap with the state of the world, over one stream or, as Contour writes it, over one for each thing. */
function fullState(text: string, way: 'full' | 'streams'): string {
  const bootstrap = JSON.parse(text)
  if (way === 'full') {
    bootstrap.dynamic_resources.ads_config.api_type = 'GRPC'
    return JSON.stringify(bootstrap)
  }
  const source = {
    resource_api_version: 'V3',
    api_config_source: {
      api_type: 'GRPC',
      transport_api_version: 'V3',
      grpc_services: [{ envoy_grpc: { cluster_name: 'contour', authority: 'contour' } }],
    },
  }
  bootstrap.dynamic_resources = { lds_config: source, cds_config: source }
  bootstrap.layered_runtime.layers[0].rtds_layer.rtds_config = source
  return JSON.stringify(bootstrap)
}
