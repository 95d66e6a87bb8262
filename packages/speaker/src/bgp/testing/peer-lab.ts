/**
 * Network namespaces with a real router and nodes that run a BgpSpeaker, for tests that need root.
 *
 * The router's namespace holds a bridge (10.77.0.1, fd77::1); node n has 10.77.0.1n to 10.77.0.5n and fd77::1n to
 * fd77::5n; where asked for, node `far` (10.78.0.11, fd78::11) is behind a hop. All of it carries this process's id, ends with `close`, and at the latest when the process exits.
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
/** Of Node, as the image sets them. */
const nodeOptions = ['--max-semi-space-size=1', '--v8-pool-size=1']
const farEnds = [
  { family: '-4', near: '10.77.0.250/24', network: '10.78.0.0/24', far: '10.78.0.' },
  { family: '-6', near: 'fd77::250/64', network: 'fd78::/64', far: 'fd78::' },
] as const
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

export interface Traffic {
  end(): Promise<{ readonly answered: number; readonly lost: readonly number[] }>
}

export class PeerLab {
  readonly #tag = `lfbgp-${process.pid}-${++labs}`
  readonly folder = mkdtempSync(join(tmpdir(), 'lfbgp-'))
  readonly #children: ChildProcess[] = []
  readonly #speakers: SpeakerNode[] = []
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
    writeFileSync(join(this.folder, 'frr.conf'), configuration)
    for (const daemon of ['zebra', 'bgpd', 'bfdd'] as const) await this.startFrrDaemon(daemon)
    await until('bgpd is configured', () => this.vtysh('show bgp summary').includes('BGP router identifier'))
  }

  /** Again, after its end. */
  async startFrrDaemon(daemon: 'zebra' | 'bgpd' | 'bfdd'): Promise<void> {
    const file = join(this.folder, 'frr.conf')
    const common = ['-u', 'frr', '-g', 'frr', '-f', file, '-z', join(this.folder, 'zserv')]
    const own = ['--vty_socket', this.folder, '-i', join(this.folder, `${daemon}.pid`), '-P', '0']
    if (daemon === 'bfdd') own.push('--bfdctl', join(this.folder, 'bfdd.sock'))
    this.#daemons.set(daemon, this.#run('r', join(frrFolder, daemon), [...common, ...own], 'ignore'))
    await until(`${daemon} listens`, () => existsSync(join(this.folder, `${daemon}.vty`)))
  }

  /** As the router, or on another host. */
  async startBird(configuration: string, host = 'r'): Promise<void> {
    const name = nameOfBird(host)
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
  startSpeaker(n: number | 'far', listenPort?: number): SpeakerNode {
    const more = listenPort === undefined ? [] : [`${listenPort}`]
    const args = [...nodeOptions, speakerProgram, `node-${n}`, ...more]
    const speaker = new SpeakerNode(this.#run(n === 'far' ? n : `n${n}`, process.execPath, args, 'inherit'))
    this.#speakers.push(speaker)
    return speaker
  }

  /** After each test: one that failed leaves nothing to the next, nor to its own second try. */
  async tidy(): Promise<void> {
    for (const daemon of this.#daemons.keys()) this.thaw(daemon)
    for (const speaker of this.#speakers) speaker.thaw()
    await Promise.all(this.#speakers.splice(0).map((speaker) => speaker.stop()))
  }

  /** Adds node `far`, whose packets another host forwards. */
  addFar(): void {
    for (const host of ['hop', 'far']) this.#addNamespace(host)
    this.#link('r', 'hop', 'hop', 'eth0')
    this.#link('hop', 'far', 'far', 'eth0')
    this.#ip('-n', this.#name('r'), 'link', 'set', 'hop', 'master', 'br0')
    for (const { family, near, network, far } of farEnds) {
      const [via = ''] = near.split('/')
      this.#address('hop', 'eth0', near)
      this.#address('hop', 'far', `${far}1${network.slice(-3)}`)
      this.#address('far', 'eth0', `${far}11${network.slice(-3)}`)
      this.#ip(family, '-n', this.#name('far'), 'route', 'add', 'default', 'via', `${far}1`)
      this.#ip(family, '-n', this.#name('r'), 'route', 'add', network, 'via', via)
    }
    this.forward('hop')
    this.#set('hop', 'net.ipv6.conf.all.forwarding=1')
  }

  /** A second link of node n to the router, 10.79.0.11 and 10.79.0.1, over which only sockets bound to it reach 10.77.0.1. */
  addDevice(n: number, name: string): void {
    this.#link('r', name, `n${n}`, name)
    this.#address('r', name, '10.79.0.1/24')
    this.#address(`n${n}`, name, '10.79.0.11/24')
    const route = ['default', 'via', '10.79.0.1', 'dev', name, 'metric', '1000']
    this.#ip('-n', this.#name(`n${n}`), 'route', 'add', ...route)
  }

  /** An address of a Service, which node n answers. */
  addService(n: number, address: string): void {
    this.#ip('-n', this.#name(`n${n}`), 'address', 'replace', `${address}/32`, 'dev', 'lo')
  }

  /** From the router, 50 times a second. `lost`: what had no answer, of all before the last that had one. */
  startTraffic(address: string): Traffic {
    const answers = new Set<number>()
    const child = this.spawn('r', 'ping', ['-n', '-i', '0.02', address], 'ignore')
    if (child.stdout === null) throw new Error('no output')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, sequence] = / icmp_seq=(\d+) ttl=/.exec(line) ?? []
      if (sequence !== undefined) answers.add(Number(sequence))
    })
    const ended = new Promise((resolve) => child.once('close', resolve))
    const end = async () => {
      child.kill('SIGINT')
      await ended
      const sent = Array.from({ length: Math.max(0, ...answers) }, (_, i) => i + 1)
      return { answered: answers.size, lost: sent.filter((sequence) => !answers.has(sequence)) }
    }
    return { end }
  }

  /** Connections that node n dialled come about, and nothing that it says on them arrives. */
  muteDials(n: number, on = true): void {
    const chain = 'chain said { type filter hook output priority 0; tcp dport 179 tcp flags psh drop; };'
    const rules = on ? `table inet mute { ${chain} };` : 'delete table inet mute'
    execFileSync('nsenter', [`--net=/run/netns/${this.#name(`n${n}`)}`, 'nft', rules])
  }

  /** The established TCP connections of node n with that address as an end, one a line. */
  connections(n: number, address: string): readonly string[] {
    const args = [`--net=/run/netns/${this.#name(`n${n}`)}`, 'ss', '-Htn', 'state', 'established']
    return quietly('nsenter', args)
      .split('\n')
      .filter((line) => line.includes(address))
  }

  /** A program on a host, until it ends or the lab does; its standard output is for the caller to read. */
  spawn(
    host: string,
    command: string,
    args: readonly string[],
    errors: 'inherit' | 'ignore' = 'inherit',
  ): ChildProcess {
    const inside = [`--net=/run/netns/${this.#name(host)}`, command, ...args]
    const child = spawn('nsenter', inside, { stdio: ['pipe', 'pipe', errors] })
    this.#children.push(child)
    return child
  }

  /** What a daemon has written, where that is kept. */
  logOf(daemon: string): string {
    return this.#logs.get(daemon) ?? ''
  }

  gobgp(...args: readonly string[]): string {
    return quietly('nsenter', [`--net=/run/netns/${this.#name('r')}`, ...this.gobgpCommand(...args)])
  }

  /** To run on the router. */
  gobgpCommand(...args: readonly string[]): readonly string[] {
    return [programOf('gobgp') ?? 'gobgp', ...args]
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

  /** `daemon`: asks it alone; else one that is frozen lets nobody have an answer. */
  vtysh(command: string, daemon?: string): string {
    const only = daemon === undefined ? [] : ['-d', daemon]
    return quietly('vtysh', ['--vty_socket', this.folder, ...only, '-c', command])
  }

  birdc(command: string, host = 'r'): string {
    return quietly('birdc', ['-s', join(this.folder, `${nameOfBird(host)}.ctl`), ...command.split(' ')])
  }

  /** Whether a host forwards what is not for itself: the router `r`, or node n as `n1`. */
  forward(host: string, on = true): void {
    this.#set(host, `net.ipv4.ip_forward=${on ? 1 : 0}`)
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
    await until('everything ended', () => running().length === 0).finally(() => this.#remove())
  }

  /** The error output of a speaker belongs to the test's; a daemon's says nothing of use. */
  #run(host: string, command: string, args: readonly string[], errors: 'inherit' | 'ignore'): ChildProcess {
    const child = this.spawn(host, command, args, errors)
    child.stdout?.resume()
    return child
  }

  #addNode(n: number): void {
    const host = `n${n}`
    this.#addNamespace(host)
    this.#link('r', host, host, 'eth0')
    this.#ip('-n', this.#name('r'), 'link', 'set', host, 'master', 'br0')
    for (let i = 1; i <= 5; i++) this.#address(host, 'eth0', `10.77.0.${i}${n}/24`)
    // The kernel names the one that came last first.
    for (let i = 5; i >= 1; i--) this.#address(host, 'eth0', `fd77::${i}${n}/64`)
  }

  #addNamespace(host: string): void {
    this.#ip('netns', 'add', this.#name(host))
    this.#namespaces.push(this.#name(host))
    this.#ip('-n', this.#name(host), 'link', 'set', 'lo', 'up')
  }

  /** Between two hosts, each with the name that it has there. */
  #link(one: string, name: string, other: string, nameThere: string): void {
    const there = ['peer', 'name', nameThere, 'netns', this.#name(other)]
    this.#ip('-n', this.#name(one), 'link', 'add', name, 'type', 'veth', ...there)
    this.#ip('-n', this.#name(one), 'link', 'set', name, 'up')
    this.#ip('-n', this.#name(other), 'link', 'set', nameThere, 'up')
  }

  #set(host: string, setting: string): void {
    execFileSync('nsenter', [`--net=/run/netns/${this.#name(host)}`, 'sysctl', '-q', '-w', setting])
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

function nameOfBird(host: string): string {
  return host === 'r' ? 'bird' : `bird-${host}`
}
