// Programs of the distribution, installed by apt-get. No service is started by it: a policy file
// refuses that while the packages are set up, and services that came with them are disabled.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { CommandError, run, tryRun } from '../host/command.ts'
import { findProgram } from './locate.ts'

const policyFile = '/usr/sbin/policy-rc.d'
const services: Readonly<Record<string, string>> = { frr: 'frr', bird2: 'bird' }

export async function installDebianPackages(
  packages: readonly string[],
  note: (text: string) => void,
): Promise<void> {
  const apt = findProgram('apt-get')
  if (apt === undefined) throw new Error('there is no apt-get on this machine')
  if (process.getuid?.() !== 0) throw new Error('apt-get needs root')
  await withoutServices(async () => {
    note(packages.join(', '))
    const install = [
      apt,
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=300',
      ...packages,
    ]
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    const first = await tryRun(install, { env })
    if (first.code !== 0) {
      note('refreshing the package lists')
      await run([apt, 'update', '-qq'], { env })
      const second = await tryRun(install, { env })
      if (second.code !== 0) throw new CommandError(install, second)
    }
  })
  const installed = packages.map((name) => services[name]).filter((name) => name !== undefined)
  if (installed.length > 0 && existsSync('/run/systemd/system')) {
    await tryRun(['systemctl', 'disable', '--quiet', ...installed])
  }
}

async function withoutServices(work: () => Promise<void>): Promise<void> {
  const ours = !existsSync(policyFile)
  if (ours) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await work()
  } finally {
    if (ours) rmSync(policyFile, { force: true })
  }
}
