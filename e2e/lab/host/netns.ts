// Named network namespaces: what `ip netns` shows.
// Entered by nsenter, never by `ip netns exec`: exec makes a mount namespace in which namespaces
// made later are invisible to everybody else.
import { readdirSync, statSync } from 'node:fs'
import { run, tryRun } from './command.ts'

const directory = '/run/netns'

export function netnsPath(name: string): string {
  return `${directory}/${name}`
}

export function inNetns(name: string, argv: readonly string[]): readonly string[] {
  return ['nsenter', `--net=${netnsPath(name)}`, ...argv]
}

export function listNetns(prefix: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.startsWith(prefix))
      .toSorted()
  } catch {
    return [] // no namespace was ever made on this machine
  }
}

/** Names by inode, as in the link `/proc/<pid>/ns/net`. */
export function netnsInodes(prefix: string): ReadonlyMap<number, string> {
  const inodes = new Map<number, string>()
  for (const name of listNetns(prefix)) {
    const stat = statSync(netnsPath(name), { throwIfNoEntry: false })
    if (stat !== undefined) inodes.set(stat.ino, name)
  }
  return inodes
}

/** Runs `ip` commands, in a namespace or in the root one. */
export async function ipBatch(netns: string | undefined, commands: readonly string[]): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns]
  await run(['ip', ...where, '-batch', '-'], { input: `${commands.join('\n')}\n` })
}

export async function removeNetns(name: string): Promise<void> {
  await tryRun(['ip', 'netns', 'del', name])
}
