/**
 * Network namespaces for tests: a bridge in one of its own with hosts on it, each with an IPv4, an IPv6 and a
 * link-local address. Needs root. Everything carries the prefix and goes with `remove`, also after a crash.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'

const prefix = 'lfl2'

/** Why these tests cannot run here; undefined: they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root to make network namespaces'
  const missing = ['ip', 'nsenter', 'setpriv', 'arping', 'ndisc6', 'ping', 'tcpdump'].filter(
    (tool) => !hasTool(tool),
  )
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`
}

export class Segment {
  readonly #hosts: readonly string[]
  readonly #captures: ChildProcess[] = []

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts
    removeOrphans()
    ip('netns', 'add', this.#name('lan'))
    this.ip('lan', 'link', 'add', 'br0', 'type', 'bridge')
    this.ip('lan', 'link', 'set', 'br0', 'up')
    for (const [index, host] of hosts.entries()) {
      ip('netns', 'add', this.#name(host))
      this.ip(host, 'link', 'set', 'lo', 'up')
      this.plug(host, index + 1)
    }
  }

  /** A new cable: `eth0` of the host. The addresses are 198.18.0.N and 2001:db8::N. */
  plug(host: string, number: number): void {
    const far = `p-${host}`
    this.ip('lan', 'link', 'add', far, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name(host))
    this.ip('lan', 'link', 'set', far, 'master', 'br0', 'up')
    this.ip(host, 'link', 'set', 'eth0', 'addrgenmode', 'eui64')
    this.ip(host, 'addr', 'add', `198.18.0.${number}/24`, 'dev', 'eth0')
    this.ip(host, 'addr', 'add', `2001:db8::${number}/64`, 'dev', 'eth0', 'nodad')
    this.nsenter(host, 'sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad')
    this.ip(host, 'link', 'set', 'eth0', 'up')
  }

  ip(host: string, ...args: string[]): string {
    return ip('-n', this.#name(host), ...args)
  }

  /** Standard output of a command; a failing one gives its output too. */
  nsenter(host: string, command: string, ...args: string[]): string {
    try {
      return execFileSync('nsenter', [`--net=/run/netns/${this.#name(host)}`, command, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
    }
  }

  /** As the speaker's container runs: root, but with CAP_NET_RAW alone, and no new privileges. */
  spawn(
    host: string,
    command: string,
    args: readonly string[],
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): ChildProcess {
    const net = `--net=/run/netns/${this.#name(host)}`
    const confined = ['setpriv', '--bounding-set=-all,+net_raw', '--inh-caps=-all,+net_raw', '--no-new-privs']
    return spawn('nsenter', [net, ...confined, command, ...args], { stdio: [stdin, 'pipe', 'inherit'] })
  }

  mac(host: string): string {
    return /ether ([0-9a-f:]{17})/.exec(this.ip(host, 'link', 'show', 'eth0'))?.[1] ?? ''
  }

  /** MACs that answer `count` ARP requests for the address, in order; of one, asked until it is answered; lower case. */
  arping(host: string, address: string, count = 1): readonly string[] {
    const often = count === 1 ? ['-C', '1', '-c', '20'] : ['-c', `${count}`]
    const paced = ['-w', '0.5', '-W', '0.02', '-i', 'eth0']
    const out = this.nsenter(host, 'arping', '-r', ...often, ...paced, address)
    return out.toLowerCase().match(/^[0-9a-f:]{17}/gm) ?? []
  }

  /** The MAC that answers a neighbor solicitation; '' when none does. */
  ndisc(host: string, address: string): string {
    const out = this.nsenter(host, 'ndisc6', '-q', '-1', '-r', '1', '-w', '500', address, 'eth0')
    return out.trim().toLowerCase()
  }

  /** Records ARP and neighbor discovery as the host sees them. @returns how to end it, which gives a line a frame */
  async capture(host: string): Promise<() => Promise<readonly string[]>> {
    const net = `--net=/run/netns/${this.#name(host)}`
    const args = ['-l', '-n', '-e', '--immediate-mode', '-i', 'eth0', 'arp or icmp6']
    const tcpdump = spawn('nsenter', [net, 'tcpdump', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#captures.push(tcpdump)
    let text = ''
    tcpdump.stdout.on('data', (data: Buffer) => {
      text += data.toString()
    })
    await once(tcpdump.stderr, 'data')
    return async () => {
      const ended = once(tcpdump, 'close')
      tcpdump.kill('SIGTERM')
      await ended
      return text.split('\n').filter((line) => line !== '')
    }
  }

  remove(): void {
    for (const tcpdump of this.#captures) tcpdump.kill('SIGKILL')
    for (const name of [...this.#hosts, 'lan']) {
      if (existsSync(`/run/netns/${this.#name(name)}`)) ip('netns', 'del', this.#name(name))
    }
  }

  #name(host: string): string {
    return `${prefix}-${process.pid}-${host}`
  }
}

/** Namespaces of test runs that were killed. */
function removeOrphans(): void {
  if (!existsSync('/run/netns')) return
  for (const name of readdirSync('/run/netns')) {
    const pid = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) ip('netns', 'del', name)
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' })
}

function hasTool(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${tool}`))
}
