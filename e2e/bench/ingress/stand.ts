/** A site with as many hosts, and the steps that are measured on it. */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { lostOf, startRequests } from '../../ingress/load.ts'
import { each, hostOf, names, namespace, proxyObject } from '../../ingress/objects.ts'
import { ok, Prober } from '../../ingress/prober.ts'
import { quiet } from '../../ingress/running-site.ts'
import { IngressSite } from '../../ingress/site.ts'
import { waitFor } from '../../lab/index.ts'
import { type Authority, makeAuthority } from '../../scenarios/certificate.ts'
import type { Memory, Mode, RestartFigures, StartFigures } from './cell.ts'

const looked = 20
/** Between two looks: more often would take of the processors that are measured. */
const lookMs = 30
const mostMs = 300_000
/** Each of these takes a handshake where there is TLS. */
const mostAsked = { plain: 25_000, tls: 500 } as const
const loadPerSecond = 500
const shared = 'shared'

export class Stand {
  readonly mode: Mode
  readonly size: number
  readonly site: IngressSite
  readonly #names: readonly string[]
  readonly #authority: Authority | undefined

  private constructor(mode: Mode, size: number, site: IngressSite, authority: Authority | undefined) {
    this.mode = mode
    this.size = size
    this.site = site
    this.#names = names('h', size)
    this.#authority = authority
  }

  static async start(mode: Mode, size: number): Promise<Stand> {
    const authority = mode === 'http' ? undefined : await makeAuthority()
    const stand = new Stand(mode, size, await IngressSite.start(), authority)
    if (mode === 'on-demand') stand.site.configure({ tls: { certificates: 'on-demand' } })
    if (mode === 'wildcard') await stand.#issue(shared, hostOf('*'))
    return stand
  }

  get tls(): boolean {
    return this.mode !== 'http'
  }

  get #certificateEach(): boolean {
    return this.mode === 'each' || this.mode === 'on-demand'
  }

  /** All hosts. @returns how long it took, in milliseconds */
  async fill(): Promise<number> {
    const started = performance.now()
    await this.prepare(this.#names)
    await each(this.#names, (name) => this.site.objects.create('proxy', this.proxy(name)))
    return performance.now() - started
  }

  /** All that HTTPProxies of these names refer to. */
  async prepare(all: readonly string[]): Promise<void> {
    if (this.#certificateEach) await each(all, (name) => this.#issue(name, hostOf(name)))
    await this.site.objects.createServices(all)
  }

  proxy(name: string, version?: string) {
    const secret = this.tls ? { secret: this.#certificateEach ? name : shared } : {}
    return proxyObject(name, { ...secret, ...(version === undefined ? {} : { version }) })
  }

  prober(name: string): Prober {
    return new Prober(this.site.entry(this.tls), hostOf(name))
  }

  /** Both programs at once, from nothing. */
  async start(): Promise<StartFigures> {
    await this.site.endPrograms()
    const started = performance.now()
    this.site.startServe()
    const answers = async () => {
      await this.site.startEnvoy()
      for (const name of this.#sampled()) await this.#answers(name)
      return performance.now() - started
    }
    const [readyMs, answeredMs] = await Promise.all([this.#ready(started), answers()])
    const envoyMiB = this.site.envoy.memory().now
    const asked = this.#names.slice(0, this.tls ? mostAsked.tls : mostAsked.plain)
    let missed = 0
    // Kept for each, connections would take all ports of loopback and all files of Envoy. By TLS each host has its handshake.
    const kept = this.tls ? undefined : new Agent({ keepAlive: true, maxSockets: 16 })
    await each(asked, async (name) => {
      const prober = new Prober(this.site.entry(this.tls), hostOf(name), kept)
      if (!ok(await prober.ask('/?last'))) missed++
      if (kept === undefined) prober.close()
    })
    kept?.destroy()
    return { readyMs, answeredMs, envoyMiB, asked: asked.length, missed }
  }

  /** Of serve alone, while the Envoy goes on. */
  async restart(): Promise<RestartFigures> {
    const load = startRequests({
      port: this.site.entry(this.tls).port,
      tls: this.tls,
      hosts: this.#sampled().map(hostOf),
      paths: ['/', '/app', '/version'],
      perSecond: loadPerSecond,
      connections: 16,
      timeoutMs: 5000,
    })
    try {
      await sleep(1000)
      const started = performance.now()
      await this.site.serve.end('SIGTERM')
      this.site.startServe()
      await this.#ready(started)
      const isBack = async () => (await this.site.metrics()).get('landfall_xds_streams') === 1
      await waitFor('Envoy to come back to serve', isBack, { timeoutMs: mostMs, intervalMs: 20 })
      const tookMs = performance.now() - started
      await this.quiet()
      const result = await load.stop()
      const bytes = (await this.site.metrics()).get('landfall_xds_sent_bytes_total') ?? 0
      return { tookMs, bytes, requests: result.sent, lost: lostOf(result) }
    } finally {
      // Without it the generator would go on, and this process with it.
      await load.stop()
    }
  }

  /** Until serve has nothing to do, with what it says of all objects. */
  async quiet(): Promise<void> {
    await quiet(this.site)
  }

  memory(): Memory {
    const { now, peak } = this.site.serve.memory()
    return { serveMiB: now, servePeakMiB: peak, envoyMiB: this.site.envoy.memory().now }
  }

  async stop(): Promise<void> {
    await this.site.stop()
  }

  #sampled(): readonly string[] {
    const last = this.size - 1
    const steps = Math.min(looked, this.size) - 1
    return Array.from(
      { length: steps + 1 },
      (_, step) => this.#names[Math.round((step * last) / Math.max(1, steps))] ?? '',
    )
  }

  async #answers(name: string): Promise<void> {
    const prober = this.prober(name)
    await prober.until('/', ok, { limitMs: 120_000, pauseMs: lookMs })
    prober.close()
  }

  async #ready(started: number): Promise<number> {
    const { serve, ports } = this.site
    const isReady = async () => !serve.alive || (await fetch(`http://127.0.0.1:${ports.metrics}/readyz`)).ok
    await waitFor('serve to be ready', isReady, { timeoutMs: mostMs, intervalMs: lookMs })
    if (!serve.alive) throw new Error('serve ended')
    return performance.now() - started
  }

  async #issue(name: string, host: string): Promise<void> {
    const secret = await this.#authority?.issue(namespace, name, host)
    if (secret !== undefined)
      await this.site.objects.create('secret', { ...secret, metadata: { namespace, name } })
  }
}
