/**
 * A network of its own for a whole command: a namespace in which the addresses of pods belong to loopback, so that
 * EndpointSlices may name them (loopback's own they may not). It goes with the last process in it.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

const marker = 'LANDFALL_OWN_NETWORK'
/** Every address of it answers. */
const pods = '10.244.0.0/16'
/** Tens of thousands of connections lead to one address, and those of programs that were ended wait a minute. */
const ports = 'cd /proc/sys/net/ipv4 && echo 10000 65000 > ip_local_port_range && echo 1 > tcp_tw_reuse'
const enter = `(${ports}); ip link set lo up && ip addr add ${pods} dev lo && exec "$@"`

export function podAddress(index: number): string {
  return `10.244.${1 + (index >> 8)}.${index & 255}`
}

export function isInOwnNetwork(): boolean {
  return process.env[marker] === '1'
}

/** Runs this command again, in such a network. @returns its exit code */
export async function againInOwnNetwork(): Promise<number> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawnInOwnNetwork(again, 'inherit')
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 2
}

/** Ends with the process that started it. */
export function spawnInOwnNetwork(command: readonly string[], stdio: StdioOptions): ChildProcess {
  if (process.getuid?.() !== 0) throw new Error('a network namespace takes root: use sudo')
  const argv = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-ec', enter, 'sh', ...command]
  return spawn('setpriv', argv, { stdio, env: { ...process.env, [marker]: '1' } })
}
