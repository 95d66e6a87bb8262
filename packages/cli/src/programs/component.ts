/**
 * `component`: Lokomotive's components `metallb` and `contour` as `.lokocfg` files configure them: listed, printed as
 * manifests, applied to a cluster and deleted from it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { type Cluster, openCluster } from '@landfall/kube'
import type { Merged, RenderedComponent } from '@landfall/lokocfg'
import { describeError } from '@landfall/telemetry'
import { Command, Option } from 'commander'
import { given, imageRegistryFlag, kubeconfigFlag, loggerOf, wholeNumber } from '../flags.ts'
import { readVersion } from '../version.ts'

interface FileFlags {
  readonly lokocfg: string
  readonly lokocfgVars?: string
  readonly imageRegistry?: string
}

interface ApplyFlags extends FileFlags {
  readonly kubeconfig?: string
  readonly timeout: number
}

interface DeleteFlags extends FileFlags {
  readonly kubeconfig?: string
  readonly deleteNamespace?: boolean
  readonly confirm?: boolean
}

const pollMs = 1000

export function componentCommand(): Command {
  return new Command('component')
    .description('Lokomotive’s components metallb and contour, as .lokocfg files configure them')
    .addCommand(listCommand())
    .addCommand(
      applyCommand('install', 'Installing', (name) => `Successfully installed component '${name}'!`),
    )
    .addCommand(
      applyCommand('apply', 'Applying', (name) => `Successfully applied component '${name}' configuration!`),
    )
    .addCommand(deleteCommand())
    .addCommand(renderCommand())
}

function listCommand(): Command {
  return new Command('list').description('print the components there are').action(async () => {
    const { components } = await import('@landfall/lokocfg')
    say(['Available components:', ...components.map(({ name }) => `\t ${name}`)].join('\n'))
  })
}

function applyCommand(verb: string, doing: string, done: (name: string) => string): Command {
  return withFiles(new Command(verb))
    .description(
      'put components into the cluster, or bring them up to date; all that are configured if none is named',
    )
    .argument('[names...]', 'components')
    .addOption(imageRegistryFlag())
    .addOption(kubeconfigFlag())
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for each to run')
        .argParser(wholeNumber(0))
        .default(600),
    )
    .action(async (names: readonly string[], flags: ApplyFlags) => {
      const { rendered, lokocfg } = await render(names, flags)
      await withCluster(flags, lokocfg, async (cluster) => {
        const failed: string[] = []
        for (const component of rendered) {
          say(`${doing} component '${component.name}'...`)
          try {
            await applyAndWait(cluster, component, flags.timeout * 1000)
            say(done(component.name))
          } catch (error) {
            process.stderr.write(`component '${component.name}': ${describeError(error)}\n`)
            failed.push(component.name)
          }
        }
        const { length } = failed
        if (length > 0)
          throw new Error(`${length} of ${rendered.length} components failed: ${failed.join(', ')}`)
      })
    })
}

async function applyAndWait(
  cluster: Cluster,
  component: RenderedComponent,
  timeoutMs: number,
): Promise<void> {
  const { applyComponent } = await import('../component/apply.ts')
  const { waitUntilReady } = await import('../component/wait.ts')
  const { failures, ...counts } = await applyComponent(cluster, component)
  const done = Object.entries(counts).filter(([, count]) => count > 0)
  say(done.map(([what, count]) => `${count} ${what}`).join(', '))
  if (failures.length > 0) throw new Error(`not all of it is applied:\n  ${failures.join('\n  ')}`)
  await waitUntilReady(cluster, component, { timeoutMs, pollMs }, say)
}

function deleteCommand(): Command {
  return withFiles(new Command('delete'))
    .description('take components out of the cluster; the kinds that they define stay')
    .argument('[names...]', 'components')
    .addOption(kubeconfigFlag())
    .option('--delete-namespace', 'also their namespaces, with everything in them')
    .option('--confirm', 'do not ask')
    .action(async (names: readonly string[], flags: DeleteFlags) => {
      const { rendered, lokocfg } = await render(names, flags)
      await withCluster(flags, lokocfg, async (cluster) => {
        for (const component of rendered.toReversed()) await deleteOne(cluster, component, flags)
      })
    })
}

async function deleteOne(cluster: Cluster, component: RenderedComponent, flags: DeleteFlags): Promise<void> {
  const { name } = component
  const { deleteAll, deletionsOf } = await import('../component/delete.ts')
  const { nameOfObject } = await import('@landfall/lokocfg')
  const going = await deletionsOf(cluster, component, flags.deleteNamespace === true)
  if (going.length === 0) return say(`Component '${name}' is not there.`)
  for (const object of going) say(`  ${nameOfObject(object)}`)
  if (flags.confirm !== true && !(await agreed(name, going.length))) return say('left as it is')
  say(`Deleting component '${name}'...`)
  await deleteAll(cluster, going, say)
  say(`Successfully deleted component '${name}'!`)
}

function renderCommand(): Command {
  return withFiles(new Command('render-manifest'))
    .description('print the objects of components; all that are configured if none is named')
    .argument('[names...]', 'components')
    .addOption(imageRegistryFlag())
    .action(async (names: readonly string[], flags: FileFlags) => {
      const { printManifests } = await import('@landfall/lokocfg')
      const { rendered } = await render(names, flags)
      process.stdout.write(printManifests(rendered))
    })
}

function withFiles(command: Command): Command {
  return command
    .option('--lokocfg <path>', 'a .lokocfg file, or a folder of them', './')
    .option('--lokocfg-vars <file>', 'values of variables; without it ./lokocfg.vars, if there is one')
}

/** Warnings go to standard error. @throws with every problem of the files */
async function render(
  names: readonly string[],
  { lokocfg: path, lokocfgVars, imageRegistry }: FileFlags,
): Promise<{ readonly rendered: readonly RenderedComponent[]; readonly lokocfg: Merged }> {
  const { formatProblem, formatProblems, readLokocfg, renderComponents } = await import('@landfall/lokocfg')
  const lokocfg = await readLokocfg({ lokocfg: path, ...given('variables', lokocfgVars) })
  const release = { version: readVersion(), ...given('registry', imageRegistry) }
  const result = renderComponents(lokocfg, names, release)
  if (!result.ok) throw new Error(`the configuration is refused:\n${formatProblems(result.problems)}`)
  for (const warning of result.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`)
  return { rendered: result.components, lokocfg }
}

async function withCluster(
  { kubeconfig }: { readonly kubeconfig?: string },
  { assetDir }: Merged,
  use: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const cluster = await openCluster({
    ...given('kubeconfig', kubeconfig ?? ofLokomotive(assetDir)),
    logger: loggerOf('none'),
    userAgent: `landfall-component/${readVersion()}`,
  })
  try {
    await use(cluster)
  } finally {
    cluster.close()
  }
}

/** The kubeconfig that Lokomotive left beside its cluster; KUBECONFIG comes before it. */
function ofLokomotive(assetDir: string | undefined): string | undefined {
  if (assetDir === undefined || process.env['KUBECONFIG']) return undefined
  const path = join(assetDir, 'cluster-assets', 'auth', 'kubeconfig')
  return existsSync(path) ? path : undefined
}

async function agreed(name: string, count: number): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('standard input is no terminal to ask on; give --confirm')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Delete these ${count} objects of component '${name}'? [y/N] `)
  terminal.close()
  return answer.trim().toLowerCase().startsWith('y')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
