/** A segment of its own for the bench of layer 2: three hosts, namespaces on one bridge. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const family = 'lfb2'
/** Of the names of namespaces. */
export const prefix = `${family}-${process.pid}`
const namespaces = '/run/netns'
const hosts = ['node', 'client', 'noise'] as const
export type Host = (typeof hosts)[number]

/** Takes away what runs that were killed have left, too. */
export function makeSegment(): void {
  removeOrphans()
  run('ip', 'netns', 'add', `${prefix}-lan`)
  inside('lan', 'ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up')
  for (const [i, host] of hosts.entries()) {
    run('ip', 'netns', 'add', `${prefix}-${host}`)
    inside('lan', `ip link add p${i} type veth peer name eth0 netns ${prefix}-${host}`)
    inside('lan', `ip link set p${i} master br0 up`)
    inside(host, 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad')
    inside(host, `ip link set lo up; ip link set eth0 up; ip addr add 198.18.0.${i + 1}/16 dev eth0`)
    inside(host, `ip addr add 2001:db8::${i + 1}/64 dev eth0 nodad`)
  }
}

export function removeSegment(): void {
  removeSegments(process.pid)
}

function removeSegments(pid: number): void {
  for (const name of readdirSync(namespaces))
    if (name.startsWith(`${family}-${pid}-`)) run('ip', 'netns', 'del', name)
}

/** Namespaces of runs that were killed. */
function removeOrphans(): void {
  if (!existsSync(namespaces)) return
  for (const name of readdirSync(namespaces)) {
    const pid = new RegExp(`^${family}-(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeSegments(Number(pid))
  }
}

/** In the namespace of that host, or of the bridge: `lan`. */
export function inside(name: string, script: string): void {
  run('nsenter', `--net=/run/netns/${prefix}-${name}`, 'sh', '-ec', script)
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
