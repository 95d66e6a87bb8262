// The lab's command line: `npm run lab -- up | down | status | kubectl … | shell HOST | logs POD | node …`.
import { spawnSync } from 'node:child_process'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { terminalProgress } from './host/progress.ts'
import { defaults, ensureLab, isStarting, type Lab, labIds, openLab, readRecord, removeLab } from './index.ts'
import { catalogue, monitoringCatalogue, peerCatalogue, rateLimitCatalogue } from './parts/catalogue.ts'
import { resolveParts } from './parts/resolve.ts'
import { labPaths } from './state/lab-state.ts'

interface Common {
  readonly id: string
}

const program = new Command('lab')
  .description(
    'A Kubernetes cluster on this machine: real control plane, routers and Envoy, pods as processes.',
  )
  .enablePositionalOptions()
  .exitOverride()
  .showHelpAfterError()

function command(name: string, description: string): Command {
  return program.command(name).description(description).option('--id <id>', 'the lab', defaults.id)
}

command('up', 'bring a lab up')
  .option('--nodes <n>', 'number of nodes', count, defaults.nodes)
  .option('--max-life <seconds>', 'the lab removes itself after this time', count, defaults.maxLifeSeconds)
  .option(
    '--node-grace <seconds>',
    'how long a silent node keeps its endpoints',
    count,
    defaults.nodeMonitorGraceSeconds,
  )
  .option('--audit', "write the API server's audit log", false)
  .option('--no-build', "run the programs' bundles as an earlier build left them")
  .action(up)
program
  .command('parts')
  .description('fetch or build every program that tests use, also the peers that no lab needs')
  .action(fetchParts)
command('down', 'take a lab away, whatever is left of it')
  .option('--all', 'every lab of this machine', false)
  .action(down)
command('status', 'hosts and processes of a lab').action((o: Common) => status(openLab(o.id)))
command('kubectl', "kubectl on the lab's cluster")
  .argument('[args...]')
  .passThroughOptions()
  .allowUnknownOption()
  .helpOption(false)
  .action((args: string[], o: Common) => handOver(openLab(o.id).cluster.argv(args)))
command('shell', 'a shell on a host (cp, n1, client, r1, client2, …), or one command there')
  .argument('<host>')
  .argument('[command...]')
  .passThroughOptions()
  .action(shell)
command('logs', "what a pod's containers wrote, or a process of the lab's own (see status)")
  .argument('<pod>', 'NAME or NAMESPACE/NAME')
  .argument('[container]')
  .action(logs)
command('node', 'freeze, thaw, cut or restore a node')
  .argument('<action>', 'freeze | thaw | cut | restore')
  .argument('<name>')
  .option('--silent', 'cut: keep the carrier', false)
  .action(node)

async function fetchParts(): Promise<void> {
  const parts = await resolveParts(terminalProgress(), [
    ...catalogue,
    ...peerCatalogue,
    ...rateLimitCatalogue,
    ...monitoringCatalogue,
  ])
  for (const [name, path] of Object.entries(parts)) say(`${name} ${path}`)
}

async function up(
  o: Common & {
    readonly nodes: number
    readonly maxLife: number
    readonly nodeGrace: number
    readonly audit: boolean
    readonly build: boolean
  },
): Promise<void> {
  const since = Date.now()
  const { made } = await ensureLab({
    id: o.id,
    nodes: o.nodes,
    maxLifeSeconds: o.maxLife,
    nodeMonitorGraceSeconds: o.nodeGrace,
    audit: o.audit,
    build: o.build,
    owned: false,
    progress: terminalProgress(),
  })
  if (!made) return say(`Lab '${o.id}' is up already.`)
  say(
    `Lab '${o.id}' is up after ${((Date.now() - since) / 1000).toFixed(1)} s. Try: npm run lab -- kubectl get nodes`,
  )
}

async function down(o: Common & { readonly all: boolean }): Promise<void> {
  for (const id of o.all ? labIds() : [o.id]) {
    const record = readRecord(id)
    if (record !== undefined && isStarting(record)) {
      throw new Error(`lab '${id}' is being brought up by process ${record.starter.pid}; end that first`)
    }
    const { processes, namespaces, mounts } = await removeLab(id)
    say(`Lab '${id}': ${processes} processes, ${namespaces} namespaces, ${mounts} mounts removed.`)
  }
}

function status(lab: Lab): void {
  say(`Lab '${lab.id}'`)
  for (const h of lab.topology.hosts)
    say(`  ${h.name.padEnd(9)}${h.role.padEnd(15)}${h.ipv4.padEnd(16)}${h.ipv6}`)
  for (const d of lab.daemons()) say(`  ${d.name.padEnd(26)}${d.alive ? `pid ${d.pid}` : 'ended'}`)
  const containers = lab.pods
    .list()
    .filter((c) => lab.pods.process(c.namespace, c.pod, c.container) !== undefined)
  say(`  ${containers.length} containers run`)
}

function shell(host: string, argv: readonly string[], o: Common): void {
  const lab = openLab(o.id)
  const found = lab.topology.hosts.find((h) => h.name === host)
  if (found === undefined) {
    throw new Error(
      `lab '${o.id}' has no host '${host}'; there are ${lab.topology.hosts.map((h) => h.name).join(', ')}`,
    )
  }
  const wanted = argv.length > 0 ? argv : [process.env['SHELL'] ?? '/bin/sh']
  const { kubeconfig } = labPaths(o.id)
  handOver(['nsenter', `--net=/run/netns/${found.netns}`, ...wanted], {
    PS1: `${host}# `,
    KUBECONFIG: kubeconfig,
  })
}

function logs(pod: string, container: string | undefined, o: Common): void {
  const lab = openLab(o.id)
  if (lab.daemons().some((d) => d.name === pod)) return void process.stdout.write(`${lab.daemonLog(pod)}\n`)
  const slash = pod.indexOf('/')
  const found = lab.pods
    .list()
    .filter((c) => c.pod === pod.slice(slash + 1) && (slash < 0 || c.namespace === pod.slice(0, slash)))
    .filter((c) => container === undefined || c.container === container)
  if (found.length === 0) throw new Error(`lab '${o.id}' has no pod '${pod}' with such a container`)
  for (const c of found) {
    if (found.length > 1) say(`==> ${c.namespace}/${c.pod}/${c.container} on ${c.node} <==`)
    process.stdout.write(lab.pods.logs(c.namespace, c.pod, c.container))
  }
}

async function node(action: string, name: string, o: Common & { readonly silent: boolean }): Promise<void> {
  const target = openLab(o.id).node(name)
  switch (action) {
    case 'freeze':
      return await target.freeze()
    case 'thaw':
      return await target.thaw()
    case 'cut':
      return await target.cut({ silent: o.silent })
    case 'restore':
      return await target.restore()
    default:
      throw new Error(`a node can be asked to freeze, thaw, cut or restore, not '${action}'`)
  }
}

function handOver(argv: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const [file = '', ...args] = argv
  process.exitCode =
    spawnSync(file, args, {
      stdio: 'inherit',
      env: { ...process.env, ...env },
      // npm runs scripts in the project's root; paths are meant from where the user is.
      cwd: process.env['INIT_CWD'] ?? process.cwd(),
    }).status ?? 1
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a number from 1 is wanted')
  return Number(text)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<void> {
  if (process.getuid?.() !== 0 && process.argv.length > 2 && !process.argv.includes('--help')) {
    throw new Error("The lab makes network namespaces and needs root: run it as 'sudo npm run lab -- …'.")
  }
  await program.parseAsync()
}

main().catch((e: unknown) => {
  if (e instanceof CommanderError) process.exitCode = e.exitCode
  else {
    process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n`)
    process.exitCode = 1
  }
})
