/** The programs' bundles, built once a process of the sources as they are then, and taken away at its end at the latest. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let bundles: Promise<string> | undefined
let discard = () => {}

/** @returns their folder */
export function provideBundles(): Promise<string> {
  bundles ??= build()
  return bundles
}

/** The same with modules that stand in for others, anew each time. @param replaced path → path, from the root */
export function provideBundlesWith(replaced: Readonly<Record<string, string>>): Promise<string> {
  return build(replaced)
}

/** For a process that may be ended without notice. */
export function discardBundles(): void {
  discard()
  bundles = undefined
}

async function build(replaced: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-bundles-'))
  const before = discard
  discard = () => {
    before()
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', discard)
  // Outside of what the compiler sees: the build's own script.
  const script = new URL('../../scripts/build.ts', import.meta.url)
  const built: { buildBundles(out: string, replaced: object): Promise<string> } = await import(script.href)
  return await built.buildBundles(join(folder, 'bundles'), replaced)
}
