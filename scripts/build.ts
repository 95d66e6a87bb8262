/**
 * Bundles the programs to dist/bundles: one entry a program name (`controller.mjs`, `speaker.mjs`, `contour.mjs`,
 * `landfall.mjs`, and the speaker's worker), with shared chunks that each program loads when it needs them.
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
import { build } from 'esbuild'
import { listLibraries, refusedLicenses, renderNotices } from './notices.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = {
  landfall: 'packages/cli/src/main.ts',
  controller: 'packages/cli/src/entry/controller.ts',
  speaker: 'packages/cli/src/entry/speaker.ts',
  contour: 'packages/cli/src/entry/contour.ts',
  'speaker-worker': 'packages/speaker/src/layer2/worker.ts',
}

/** CommonJS libraries inside an ES module ask for these. */
const banner = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`

/**
 * Builds into a fresh folder and swaps it in whole, so that a program started meanwhile never sees half a bundle.
 * @returns the folder of the bundles
 */
export async function buildBundles(out: string = join(root, 'dist', 'bundles')): Promise<string> {
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
    external: ['koffi'],
    define: { LANDFALL_VERSION: JSON.stringify(readVersion()) },
    banner: { js: banner },
    logLevel: 'warning',
  })
  copyNativeLibrary(join(fresh, 'node_modules'))
  rmSync(out, { recursive: true, force: true })
  mkdirSync(dirname(out), { recursive: true })
  renameSync(fresh, out)
  return out
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
