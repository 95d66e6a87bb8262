// The programs' bundles for one lab: built when a source is newer than they are, then copied, so that
// a later build does not pull files away from under the lab's programs.
import { cpSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const repoRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

/** `build: false` takes the bundles as an earlier build left them. */
export async function providePrograms(o: { readonly build: boolean; readonly to: string }): Promise<void> {
  const bundles = join(repoRoot, 'dist', 'bundles')
  if (o.build && isStale(join(bundles, 'landfall.mjs'), sources())) {
    const script = pathToFileURL(join(repoRoot, 'scripts', 'build.ts'))
    const built: { buildBundles(): Promise<unknown> } = await import(script.href)
    await built.buildBundles()
  }
  if (!existsSync(bundles)) throw new Error(`there are no bundles in ${bundles}; 'pnpm build' makes them`)
  cpSync(bundles, o.to, { recursive: true, filter: (path) => !path.endsWith('.map') })
}

function sources(): readonly string[] {
  const packages = join(repoRoot, 'packages')
  const folders = readdirSync(packages).flatMap((name) => [
    join(packages, name, 'src'),
    join(packages, name, 'package.json'),
  ])
  return [
    ...folders,
    join(repoRoot, 'package.json'),
    join(repoRoot, 'pnpm-lock.yaml'),
    join(repoRoot, 'scripts', 'build.ts'),
  ]
}

/** Whether the product is missing or older than any file or folder at or below the sources. */
export function isStale(product: string, of: readonly string[]): boolean {
  const made = statSync(product, { throwIfNoEntry: false })?.mtimeMs
  return made === undefined || of.some((path) => newest(path) > made)
}

/** A folder counts too: its time changes when a file in it goes. */
function newest(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}
