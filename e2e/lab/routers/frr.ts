// Starts a router's FRR: zebra, bgpd and bfdd, as FRR's own user and with sockets of their own, so
// that several run beside each other and beside the machine's.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../host/command.ts'
import type { Daemons } from '../host/daemon.ts'
import { inNetns } from '../host/netns.ts'
import { waitFor } from '../host/wait.ts'
import type { Host } from '../topology/topology.ts'
import { bgpConfig, plainConfig } from './frr-config.ts'

export interface FrrPrograms {
  readonly zebra: string
  readonly bgpd: string
  readonly bfdd: string
  readonly vtysh: string
}

const user = 'frr'
const names = ['zebra', 'bgpd', 'bfdd'] as const

export async function startFrr(o: {
  readonly router: Host
  readonly directory: string
  readonly daemons: Daemons
  readonly programs: FrrPrograms
}): Promise<void> {
  const { router, directory, daemons, programs } = o
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'vtysh.conf'), '')
  for (const name of names) {
    writeFileSync(join(directory, `${name}.conf`), name === 'bgpd' ? bgpConfig(router) : plainConfig(router))
    rmSync(join(directory, `${name}.vty`), { force: true })
  }
  await run(['chown', '-R', `${user}:${user}`, directory])
  for (const name of names) {
    daemons.start({
      name: `${router.name}-${name}`,
      argv: inNetns(router.netns, [programs[name], ...flags(name, directory)]),
    })
    if (name !== 'zebra') continue
    const ready = `${router.name}'s zebra to take commands (log: ${daemons.logPath(`${router.name}-zebra`)})`
    await waitFor(ready, async () => (await vtysh(o, ['show zebra client summary'])) !== undefined, {
      intervalMs: 50,
      timeoutMs: 10_000,
    })
  }
  const what = `${router.name}'s bgpd to listen (log: ${daemons.logPath(`${router.name}-bgpd`)})`
  await waitFor(what, async () => (await vtysh(o, ['show bgp summary json'])).includes('{'), {
    intervalMs: 50,
    timeoutMs: 10_000,
  })
}

/** Runs commands in one shell of the router's; lines of configuration between `configure terminal` and `end`. */
export async function vtysh(
  o: { readonly router: Host; readonly directory: string; readonly programs: Pick<FrrPrograms, 'vtysh'> },
  commands: readonly string[],
): Promise<string> {
  const shell = [o.programs.vtysh, '--vty_socket', o.directory, '--config_dir', o.directory]
  return await run([...shell, ...commands.flatMap((c) => ['-c', c])], { timeoutMs: 10_000 })
}

function flags(name: (typeof names)[number], directory: string): readonly string[] {
  const pairs = {
    '-u': user,
    '-g': user,
    '-f': join(directory, `${name}.conf`),
    '-i': join(directory, `${name}.pid`),
    '-z': join(directory, 'zserv.api'),
    '--vty_socket': directory,
    '-P': '0',
    ...(name === 'bfdd' ? { '--bfdctl': join(directory, 'bfdd.sock') } : {}),
  }
  return Object.entries(pairs).flat()
}
