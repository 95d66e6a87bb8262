/**
 * The way in for `npm run demo`, `npm run lab` and `npm test`: plain JavaScript that any Node ≥ 18 runs.
 * Installs the package manager (locked, into the cache), the dependencies (locked; among them the Node that
 * runs everything else) and the generated types, then hands over. With nothing to do it takes under a second.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runStep } from './step.js'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'landfall')
const bin = join(root, 'node_modules', '.bin')

/** Each command and the script that it hands over to; `install` has none. */
const commands = {
  demo: 'e2e/demo/main.ts',
  lab: 'e2e/lab/cli.ts',
  test: 'scripts/test.ts',
  check: 'scripts/check.ts',
  generate: 'scripts/generate.ts',
  build: 'scripts/build.ts',
  format: 'scripts/format.ts',
  drill: 'e2e/drill/main.ts',
  bench: 'e2e/bench/main.ts',
  install: undefined,
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2)
  if (!(name in commands)) {
    return fail(`unknown command "${name}"; there are: ${Object.keys(commands).join(', ')}`)
  }
  refuseForeignMachine()
  // Said but empty, pnpm would take it for a folder of that name.
  if (process.env.XDG_CACHE_HOME === '') delete process.env.XDG_CACHE_HOME
  if ((name === 'demo' || name === 'lab') && process.getuid() !== 0) {
    return fail(`this makes network namespaces, which takes root: run \`sudo npm run ${name}\``)
  }
  const pnpm = await installPnpm()
  await installDependencies(pnpm)
  const script = commands[name]
  if (script === undefined) return
  const child = spawnSync(join(bin, 'node'), [join(root, script), ...args], {
    stdio: 'inherit',
    env: withTools(pnpm),
  })
  process.exitCode = child.status ?? 1
}

function refuseForeignMachine() {
  const major = Number(process.versions.node.split('.')[0])
  if (process.platform !== 'linux') fail(`Landfall runs on Linux; this is ${process.platform}.`)
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    fail(`Landfall is built for x64 and arm64; this is ${process.arch}.`)
  }
  if (major < 18) fail(`Node ≥ 18 starts Landfall; this is ${process.version}. Install a newer Node.`)
}

async function installDependencies(pnpm) {
  await runStep('dependencies', pnpm, ['install', '--frozen-lockfile', '--prefer-offline'], {
    cwd: root,
    env: { ...process.env, CI: 'true' },
    hint: 'The npm registry must be reachable (or its packages cached) for the first run.',
  })
  await runStep('generated types', join(bin, 'node'), [join(root, 'packages/envoy-types/generate.ts')], {
    cwd: root,
    env: withTools(pnpm),
  })
}

/** The lock's own directory name keeps versions apart; a half-done install is never taken for a whole one. */
async function installPnpm() {
  const source = join(root, 'scripts', 'tools')
  const { dependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const home = join(cache, 'tools', `pnpm-${dependencies.pnpm}`)
  const program = join(home, 'node_modules', '.bin', 'pnpm')
  if (existsSync(program)) return program
  const fresh = `${home}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  cpSync(source, fresh, { recursive: true })
  await runStep('package manager', 'npm', ['install', '--no-save', '--ignore-scripts', '--no-audit'], {
    cwd: fresh,
    env: process.env,
    hint: 'npm must be on the PATH and the npm registry reachable.',
  })
  rmSync(home, { recursive: true, force: true })
  renameSync(fresh, home)
  return program
}

/** The checkout's own tools, and the package manager, before whatever the machine has. */
function withTools(pnpm) {
  return { ...process.env, PATH: [bin, dirname(pnpm), process.env.PATH].join(delimiter) }
}

function fail(message) {
  process.stderr.write(`landfall: ${message}\n`)
  process.exit(1)
}

await main()
