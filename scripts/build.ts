/**
 * Bundles the programs to dist/bundles: one entry a program name (`controller.mjs`, `speaker.mjs`, `contour.mjs`,
 * `lokoctl.mjs`, `landfall.mjs`, and the speaker's worker), with shared chunks that each program loads when it needs them.
 */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { listLibraries, refusedLicenses, renderNotices } from './notices.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = {
  landfall: 'packages/cli/src/main.ts',
  controller: 'packages/cli/src/entry/controller.ts',
  speaker: 'packages/cli/src/entry/speaker.ts',
  contour: 'packages/cli/src/entry/contour.ts',
  lokoctl: 'packages/cli/src/entry/lokoctl.ts',
  'speaker-worker': 'packages/speaker/src/layer2/worker.ts',
}

/** Reads a file of its own, beside its code, when it is loaded: so it stays a package. */
const hclLibrary = '@cdktf/hcl2json'

/** CommonJS libraries inside an ES module ask for these. */
const banner = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`

/**
 * Builds into a fresh folder and swaps it in whole, so that a program started meanwhile never sees half a bundle.
 * @param replaced modules that others stand in for, which may import them: path → path from the root; for drills
 * @returns the folder of the bundles
 */
export async function buildBundles(
  out: string = join(root, 'dist', 'bundles'),
  replaced: Readonly<Record<string, string>> = {},
): Promise<string> {
  const fresh = `${out}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: fresh,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    sourcemap: 'linked',
    sourcesContent: false,
    minifySyntax: true,
    legalComments: 'none',
    external: ['koffi', hclLibrary],
    define: { LANDFALL_VERSION: JSON.stringify(readVersion()) },
    banner: { js: banner },
    logLevel: 'warning',
    plugins: [standIns(replaced)],
  })
  copyNativeLibrary(join(fresh, 'node_modules'))
  copyPackage(hclLibrary, join(root, 'packages/lokocfg'), join(fresh, 'node_modules'))
  rmSync(out, { recursive: true, force: true })
  mkdirSync(dirname(out), { recursive: true })
  renameSync(fresh, out)
  return out
}

function standIns(replaced: Readonly<Record<string, string>>): Plugin {
  const paths = new Map(Object.entries(replaced).map(([from, to]) => [join(root, from), join(root, to)]))
  return {
    name: 'stand-ins',
    setup: (bundle) =>
      bundle.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer, resolveDir }) => {
        const standIn = paths.get(join(resolveDir, path))
        return standIn === undefined || standIn === importer ? undefined : { path: standIn }
      }),
  }
}

export function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return manifest.version
}

/** koffi loads its own native file, so it stays a package beside the bundles. */
function copyNativeLibrary(target: string): void {
  const koffi = realpathSync(join(root, 'packages/net/node_modules/koffi'))
  const keep = (path: string) =>
    !/\/(vendor|doc|lib\/native)(\/|$)|\.(cc|hh|c|h|S|asm|txt|md)$/.test(path.slice(koffi.length))
  cpSync(koffi, join(target, 'koffi'), { recursive: true, filter: keep })
  const native = join(koffi, '..', '@koromix')
  for (const name of readdirSync(native)) {
    cpSync(realpathSync(join(native, name)), join(target, '@koromix', name), { recursive: true })
  }
}

/** A package as `from` has it, and those that it depends on, all side by side. */
function copyPackage(name: string, from: string, target: string): void {
  const folder = realpathSync(join(from, 'node_modules', name))
  const manifest: { readonly dependencies?: object } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  cpSync(folder, join(target, name), {
    recursive: true,
    filter: (path) => !/\.(d\.ts|map|md)$|\/node_modules$/.test(path.slice(folder.length)),
  })
  // pnpm has the dependencies beside the package.
  const beside = folder.slice(0, -join('node_modules', name).length)
  for (const one of Object.keys(manifest.dependencies ?? {})) copyPackage(one, beside, target)
}

function writeNotices(out: string): void {
  const libraries = listLibraries(root)
  const refused = refusedLicenses(libraries)
  if (refused.length > 0) throw new Error(`licences that are not on the list:\n  ${refused.join('\n  ')}`)
  writeFileSync(join(out, 'THIRD_PARTY_NOTICES'), renderNotices(libraries))
}

if (import.meta.main) {
  const out = await buildBundles()
  writeNotices(out)
  process.stdout.write(`bundles in ${out.slice(root.length)}\n`)
}
