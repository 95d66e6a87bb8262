/** For tests: `serve` in this process, against an API server that answers as it is told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RawObject } from '@landfall/kube'
import { bookmark, FakeApiServer, type FakeWatch } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import type { Settings } from '../configuration/settings.ts'
import { eventually, freePort } from '../envoy-process/envoy-process.ts'
import type { ServeStart } from '../options.ts'
import { runServe } from './start.ts'

export interface Watched {
  readonly path: string
  readonly watch: FakeWatch
}

/** The objects that the cluster has, by the path of their kind. */
export type Objects = Readonly<Record<string, readonly RawObject[]>>

export class ServeBed {
  readonly directory = mkdtempSync(join(tmpdir(), 'landfall-serve-'))
  readonly server = new FakeApiServer()
  /** Of the last one that was started. */
  watches: readonly Watched[] = []
  xdsPort = 0
  /** Ends the last one that was started. */
  stop = (): Promise<void> => Promise.resolve()

  async open(): Promise<this> {
    await this.server.listen()
    return this
  }

  async close(): Promise<void> {
    await this.stop()
    await this.server.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  watch(path: string): FakeWatch {
    const found = this.watches.find((one) => one.path === path)
    if (found === undefined) throw new Error(`nobody watches ${path}`)
    return found.watch
  }

  /** @returns where its HTTP is */
  async serve(
    objects: Objects = {},
    changed: Partial<ServeStart> = {},
    flags: Settings = { xdsInsecure: true },
  ): Promise<string> {
    const kubeconfig = join(this.directory, 'config')
    const url = `http://127.0.0.1:${this.server.port}`
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [{ name: 'fake', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
        contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'nobody' } }],
        users: [{ name: 'nobody', user: {} }],
        'current-context': 'fake',
      }),
    )
    const { server } = this
    const own = server.answer
    // Asked before they are watched: whether the role grants EndpointSlices.
    server.answer = (asked) => {
      const isProbe = asked.path.endsWith('/endpointslices') && asked.query.has('limit')
      const empty = { body: { metadata: {}, items: [] } }
      if (isProbe) return empty
      return own(asked) ?? (asked.method === 'GET' && asked.path.endsWith('/events') ? empty : undefined)
    }
    const port = await freePort()
    this.xdsPort = await freePort()
    const ended = new AbortController()
    const address = '127.0.0.1'
    const running = runServe({
      logger: () => silentLogger(),
      version: '9.9.9',
      signal: ended.signal,
      configuration: { kind: 'flags' },
      namespace: 'ns',
      leaderElection: { name: 'leader-elect', namespace: 'ns', identity: 'me' },
      disabledFeatures: [],
      flags: {
        kubeconfig,
        metricsAddress: address,
        metricsPort: port,
        healthAddress: address,
        healthPort: port,
        debugPort: await freePort(),
        xdsAddress: address,
        xdsPort: this.xdsPort,
        ...flags,
      },
      ...changed,
    })
    this.stop = async () => {
      ended.abort()
      await running
    }
    const length = changed.configuration?.kind === 'object' ? 8 : 7
    const opened = await Promise.all(Array.from({ length }, () => server.nextWatch()))
    const paths = server.requests
      .filter(({ query }) => query.has('watch'))
      .map(({ path }) => path)
      .slice(-length)
    this.watches = opened.map((watch, index) => ({ watch, path: paths[index] ?? '' }))
    for (const { path, watch } of this.watches) {
      const added = (objects[path] ?? []).map((object) => ({ type: 'ADDED' as const, object }))
      await watch.send(...added, bookmark(1, true))
    }
    const at = `http://127.0.0.1:${port}`
    await eventually('ready', async () => ((await fetch(`${at}/readyz`)).ok ? true : undefined))
    return at
  }
}
