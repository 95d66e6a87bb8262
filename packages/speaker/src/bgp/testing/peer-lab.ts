/**
 * Network namespaces with a real router and nodes that run a BgpSpeaker, for tests that need root.
 *
 * The router's namespace holds a bridge (10.77.0.1, fd77::1); node n has 10.77.0.1n to 10.77.0.4n and fd77::1n. All of
 * it carries this process's id, ends with `close`, and at the latest when the process exits.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { PlanText } from './plan-text.ts'
import { until } from './until.ts'

const frrFolder = '/usr/lib/frr'
const birdBinary = '/usr/sbin/bird'
const speakerProgram = fileURLToPath(new URL('speaker-process.ts', import.meta.url))
let labs = 0

/** Why real peers cannot be run here; undefined if they can. */
export function missingFor(peer: 'frr' | 'bird' | 'gobgp'): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces'
  if (peer === 'frr' && !existsSync(join(frrFolder, 'bgpd'))) return 'needs FRR (apt-get install frr)'
  if (peer === 'bird' && !existsSync(birdBinary)) return 'needs BIRD 2 (apt-get install bird2)'
  if (peer === 'gobgp' && (programOf('gobgp') ?? programOf('gobgpd')) === undefined)
    return 'needs GoBGP (npm run lab -- parts)'
  return undefined
}

/** Where the lab puts it, or the environment says. */
function programOf(name: 'gobgp' | 'gobgpd'): string | undefined {
  const given = process.env[`LANDFALL_${name.toUpperCase()}`]
  if (given !== undefined) return given
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(cache, 'landfall', 'parts', 'gobgp')
  if (!existsSync(folder)) return undefined
  return readdirSync(folder)
    .map((version) => join(folder, version, name))
    .find(existsSync)
}

export interface LogLine {
  readonly event?: string
  readonly [field: string]: unknown
}

export class SpeakerNode {
  readonly log: LogLine[] = []
  readonly process: ChildProcess

  constructor(process: ChildProcess) {
    this.process = process
    if (process.stdout === null) throw new Error('no output')
    createInterface({ input: process.stdout }).on('line', (line) => {
      this.log.push(JSON.parse(line) as LogLine)
    })
  }

  apply(plan: PlanText): void {
    this.process.stdin?.write(`${JSON.stringify(plan)}\n`)
  }

  events(event: string): readonly LogLine[] {
    return this.log.filter((line) => line.event === event)
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return
    this.process.kill('SIGTERM')
    await this.ended()
  }

  /** Ends it as for a restart; `kill` gives it no time for anything. */
  restart(): void {
    this.process.kill('SIGUSR2')
  }

  freeze(): void {
    this.process.kill('SIGSTOP')
  }

  thaw(): void {
    this.process.kill('SIGCONT')
  }

  kill(): void {
    this.process.kill('SIGKILL')
  }

  async ended(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null)
      await new Promise((resolve) => this.process.once('exit', resolve))
  }
}

export class PeerLab {
  readonly #tag = `lfbgp-${process.pid}-${++labs}`
  readonly folder = mkdtempSync(join(tmpdir(), 'lfbgp-'))
  readonly #children: ChildProcess[] = []
  readonly #daemons = new Map<string, ChildProcess>()
  readonly #logs = new Map<string, string>()
  readonly #namespaces: string[] = []
  readonly #onExit = () => this.#remove()

  constructor(nodes: number) {
    process.once('exit', this.#onExit)
    this.#addNamespace('r')
    this.#ip('-n', this.#name('r'), 'link', 'add', 'br0', 'type', 'bridge')
    this.#ip('-n', this.#name('r'), 'link', 'set', 'br0', 'up')
    this.#address('r', 'br0', '10.77.0.1/24')
    this.#address('r', 'br0', 'fd77::1/64')
    for (let n = 1; n <= nodes; n++) this.#addNode(n)
  }

  /** Starts zebra, bgpd and bfdd with this configuration. */
  async startFrr(configuration: string): Promise<void> {
    const owner = (flag: '-u' | '-g') => Number(execFileSync('id', [flag, 'frr'], { encoding: 'utf8' }))
    chownSync(this.folder, owner('-u'), owner('-g'))
    const file = join(this.folder, 'frr.conf')
    writeFileSync(file, configuration)
    for (const daemon of ['zebra', 'bgpd', 'bfdd']) {
      const common = ['-u', 'frr', '-g', 'frr', '-f', file, '-z', join(this.folder, 'zserv')]
      const own = ['--vty_socket', this.folder, '-i', join(this.folder, `${daemon}.pid`), '-P', '0']
      if (daemon === 'bfdd') own.push('--bfdctl', join(this.folder, 'bfdd.sock'))
      this.#daemons.set(daemon, this.#run('r', join(frrFolder, daemon), [...common, ...own], 'ignore'))
      await until(`${daemon} listens`, () => existsSync(join(this.folder, `${daemon}.vty`)))
    }
    await until('bgpd is configured', () => this.vtysh('show bgp summary').includes('BGP router identifier'))
  }

  /** As the router, or on another host; then `birdc` does not speak to it. */
  async startBird(configuration: string, host = 'r'): Promise<void> {
    const name = host === 'r' ? 'bird' : `bird-${host}`
    const file = join(this.folder, `${name}.conf`)
    writeFileSync(file, configuration)
    const socket = join(this.folder, `${name}.ctl`)
    this.#daemons.set(name, this.#run(host, birdBinary, ['-f', '-c', file, '-s', socket], 'ignore'))
    await until('BIRD listens', () => existsSync(socket))
  }

  async startGobgp(configuration: string): Promise<void> {
    const file = join(this.folder, 'gobgp.toml')
    writeFileSync(file, configuration)
    const daemon = this.#run('r', programOf('gobgpd') ?? 'gobgpd', ['-f', file, '--log-plain'], 'ignore')
    this.#daemons.set('gobgpd', daemon)
    daemon.stdout?.on('data', (text: Buffer) => {
      this.#logs.set('gobgpd', `${this.#logs.get('gobgpd') ?? ''}${text.toString()}`)
    })
    await until('GoBGP listens', () => this.gobgp('global').includes('65530'))
  }

  /** `listenPort`: takes the connections of routers that dial. */
  startSpeaker(n: number, listenPort?: number): SpeakerNode {
    const more = listenPort === undefined ? [] : [`${listenPort}`]
    return new SpeakerNode(
      this.#run(`n${n}`, process.execPath, [speakerProgram, `node-${n}`, ...more], 'inherit'),
    )
  }

  /** What a daemon has written, where that is kept. */
  logOf(daemon: string): string {
    return this.#logs.get(daemon) ?? ''
  }

  gobgp(...args: readonly string[]): string {
    const inside = [`--net=/run/netns/${this.#name('r')}`, programOf('gobgp') ?? 'gobgp', ...args]
    return quietly('nsenter', inside)
  }

  /** Node n gets a link of its own to the router, without addresses but the link-local ones. */
  unbridge(n: number): void {
    this.#ip('-n', this.#name('r'), 'link', 'set', `n${n}`, 'nomaster', 'up')
    this.#ip('-n', this.#name(`n${n}`), 'address', 'flush', 'dev', 'eth0', 'scope', 'global')
  }

  /** Stops a daemon in its tracks; `thaw` lets it go on. */
  freeze(daemon: string): void {
    this.#daemons.get(daemon)?.kill('SIGSTOP')
  }

  /** Ends a daemon at once; resolves when it is gone. */
  async end(daemon: string): Promise<void> {
    const child = this.#daemons.get(daemon)
    child?.kill('SIGKILL')
    await until(`${daemon} is gone`, () => child === undefined || child.signalCode !== null)
  }

  thaw(daemon: string): void {
    this.#daemons.get(daemon)?.kill('SIGCONT')
  }

  vtysh(command: string): string {
    return quietly('vtysh', ['--vty_socket', this.folder, '-c', command])
  }

  birdc(command: string): string {
    return quietly('birdc', ['-s', join(this.folder, 'bird.ctl'), ...command.split(' ')])
  }

  /** Whether a host forwards what is not for itself: the router `r`, or node n as `n1`. */
  forward(host: string, on = true): void {
    const setting = `net.ipv4.ip_forward=${on ? 1 : 0}`
    execFileSync('nsenter', [`--net=/run/netns/${this.#name(host)}`, 'sysctl', '-q', '-w', setting])
  }

  /** The router's kernel route to the prefix, with all its next hops. */
  kernelRoute(prefix: string): string {
    const family = prefix.includes(':') ? '-6' : '-4'
    return quietly('ip', [family, '-n', this.#name('r'), 'route', 'show', prefix])
  }

  async close(): Promise<void> {
    process.off('exit', this.#onExit)
    for (const child of this.#children) child.kill('SIGKILL')
    const running = () =>
      this.#children.filter((child) => child.exitCode === null && child.signalCode === null)
    await until('everything ended', () => running().length === 0, 2000).finally(() => this.#remove())
  }

  /** The error output of a speaker belongs to the test's; a daemon's says nothing of use. */
  #run(host: string, command: string, args: readonly string[], errors: 'inherit' | 'ignore'): ChildProcess {
    const inside = [`--net=/run/netns/${this.#name(host)}`, command, ...args]
    const child = spawn('nsenter', inside, { stdio: ['pipe', 'pipe', errors] })
    child.stdout.resume()
    this.#children.push(child)
    return child
  }

  #addNode(n: number): void {
    const host = `n${n}`
    this.#addNamespace(host)
    const router = this.#name('r')
    this.#ip(
      '-n',
      router,
      'link',
      'add',
      host,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      this.#name(host),
    )
    this.#ip('-n', router, 'link', 'set', host, 'master', 'br0', 'up')
    this.#ip('-n', this.#name(host), 'link', 'set', 'eth0', 'up')
    for (let i = 1; i <= 4; i++) this.#address(host, 'eth0', `10.77.0.${i}${n}/24`)
    this.#address(host, 'eth0', `fd77::1${n}/64`)
  }

  #addNamespace(host: string): void {
    this.#ip('netns', 'add', this.#name(host))
    this.#namespaces.push(this.#name(host))
    this.#ip('-n', this.#name(host), 'link', 'set', 'lo', 'up')
  }

  #address(host: string, device: string, address: string): void {
    const nodad = address.includes(':') ? ['nodad'] : []
    this.#ip('-n', this.#name(host), 'address', 'add', address, 'dev', device, ...nodad)
  }

  #remove(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    for (const name of this.#namespaces.splice(0)) quietly('ip', ['netns', 'delete', name])
    rmSync(this.folder, { recursive: true, force: true })
  }

  #name(host: string): string {
    return `${this.#tag}-${host}`
  }

  #ip(...args: readonly string[]): void {
    execFileSync('ip', args)
  }
}

function quietly(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
