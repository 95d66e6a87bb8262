/**
 * `uninstall`: clears what Landfall wrote into objects that are not its own, after the workloads are gone: addresses
 * and annotations of Services, addresses of Ingresses, status of HTTPProxies. Says what it would do and asks.
 */
import { createInterface } from 'node:readline/promises'
import { openCluster } from '@landfall/kube'
import { Command } from 'commander'
import { given, kubeconfigFlag, loggerOf } from '../flags.ts'
import { findSteps, running, type Step } from '../uninstall/steps.ts'
import { readVersion } from '../version.ts'

interface Flags {
  readonly kubeconfig?: string
  readonly crds?: boolean
  readonly yes?: boolean
}

const firstDelete = 'kubectl delete namespace metallb-system projectcontour'

export function uninstallCommand(): Command {
  return new Command('uninstall')
    .description('clear what Landfall wrote into Services, Ingresses and HTTPProxies; the workloads go first')
    .addOption(kubeconfigFlag())
    .option(
      '--crds',
      'also delete the definitions, and with them every pool, peer, advertisement and HTTPProxy',
    )
    .option('--yes', 'do not ask')
    .action(uninstall)
}

async function uninstall(flags: Flags): Promise<void> {
  const logger = loggerOf('none')
  const userAgent = `landfall-uninstall/${readVersion()}`
  const cluster = await openCluster({ ...given('kubeconfig', flags.kubeconfig), logger, userAgent })
  try {
    const [first] = await running(cluster)
    if (first !== undefined) throw new Error(`${first} is there and would write again; first: ${firstDelete}`)
    const steps = await findSteps(cluster, flags.crds === true)
    if (steps.length === 0) return say('nothing to clear')
    for (const { what, object } of steps) say(`  ${what.padEnd(23)}  ${object}`)
    if (flags.yes !== true && !(await agreed(steps.length))) return say('left as it is')
    await runAll(steps)
  } finally {
    cluster.close()
  }
}

/** One that fails does not keep the others from being done. */
async function runAll(steps: readonly Step[]): Promise<void> {
  const failures: string[] = []
  for (const { what, object, run } of steps) {
    try {
      await run()
    } catch (error) {
      failures.push(`  ${what} ${object}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  say(`done: ${steps.length - failures.length} of ${steps.length}`)
  if (failures.length > 0) throw new Error(`not done, try again:\n${failures.join('\n')}`)
}

async function agreed(count: number): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('standard input is no terminal to ask on; give --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Do all ${count}? [y/N] `)
  terminal.close()
  return answer.trim().toLowerCase().startsWith('y')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
