/**
 * Backends whose certificates Envoy verifies, by authorities in one Secret: one in a process of its own, for the load,
 * and one that shows a certificate by another authority each time, by which is seen which authorities hold.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { hostOf, type ProxyOptions, proxyObject, serviceObject, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import { type Answer, Prober } from '../../ingress/prober.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { type Authority, makeAuthority, type Pair } from '../../scenarios/certificate.ts'
import { mostMs, put, secrets, since } from './rotated-secrets.ts'

const program = join(import.meta.dirname, '..', '..', 'ingress', 'backend-main.ts')
const subjectName = 'backend.shop.test'
const [loaded, probed] = [
  { name: 'secure', port: 9101, ip: podAddress(1) },
  { name: 'probed', port: 9102, ip: podAddress(2) },
]

const taken = (answer: Answer | undefined): boolean => answer?.status === 200
const refused = (answer: Answer | undefined): boolean => answer?.status === 503

function verified(name: string): NonNullable<ProxyOptions['services']> {
  return [{ name, protocol: 'tls', validation: { caSecret: secrets.authorities, subjectName } }]
}

export class SecureBackends {
  /** For the host under load. */
  readonly services = verified(loaded.name)
  readonly #site: IngressSite
  readonly #own: Authority
  readonly #process: ChildProcess
  readonly #probed: Server
  readonly #prober: Prober
  #before: Pair | undefined

  /** @param own signs the certificate of the one under load, and stays in the Secret */
  static async start(site: IngressSite, own: Authority): Promise<SecureBackends> {
    const pair = await own.pair(subjectName)
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', process.execPath, program, `${loaded.port}`, JSON.stringify(pair)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const server = createServer(pair, (_request, response) => {
      // So that the next request has a handshake of its own.
      response.setHeader('connection', 'close').end()
    }).listen(probed.port, '0.0.0.0')
    const backends = new SecureBackends(site, own, child, server)
    try {
      const ended = once(child, 'exit').then(() => {
        throw new Error('the backend under load ended')
      })
      ended.catch(() => {})
      await Promise.all([Promise.race([once(child.stdout, 'data'), ended]), once(server, 'listening')])
      for (const { name, port, ip } of [loaded, probed]) {
        await site.objects.create('service', serviceObject(name))
        await site.objects.create('slice', sliceObject(name, [{ ip }], port))
      }
      const { name } = probed
      await site.objects.create('proxy', proxyObject(name, { services: verified(name) }))
    } catch (error) {
      backends.stop()
      throw error
    }
    return backends
  }

  private constructor(site: IngressSite, own: Authority, child: ChildProcess, server: Server) {
    this.#site = site
    this.#own = own
    this.#process = child
    this.#probed = server
    this.#prober = new Prober(site.entry(false), hostOf(probed.name))
  }

  /** Until the host under load is served by the one in a process of its own. @param client that the host takes */
  async serving(host: string, { cert, key }: Pair): Promise<void> {
    const prober = new Prober(this.#site.entry(true), host, new Agent({ keepAlive: true, cert, key }))
    try {
      await prober.until('/', (answer) => answer?.body.includes(loaded.ip) === true)
      await this.#until(taken)
    } finally {
      prober.close()
    }
  }

  /** A second authority each time, and the one of the time before is gone. @returns how long until both hold */
  async rotate(n: number): Promise<number> {
    const second = await makeAuthority(`second ${n}`)
    const [come, gone] = [await second.pair(subjectName), this.#before]
    this.#before = come
    this.#probed.setSecureContext(come)
    await this.#until(refused)
    return await since(
      () => put(this.#site, 'replace', secrets.authorities, { 'ca.crt': `${this.#own.pem}\n${second.pem}` }),
      async () => {
        await this.#until(taken)
        if (gone === undefined) return
        this.#probed.setSecureContext(gone)
        await this.#until(refused)
      },
    )
  }

  stop(): void {
    this.#process.kill()
    this.#prober.close()
    this.#probed.close()
    this.#probed.closeAllConnections()
  }

  async #until(isIt: (answer: Answer | undefined) => boolean): Promise<void> {
    await this.#prober.until('/', isIt, { limitMs: mostMs, pauseMs: 5 })
  }
}
