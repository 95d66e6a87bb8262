/**
 * The workspace's rules (ARCHITECTURE.md), each a function from the sources to the places that break it:
 * pure code imports only pure code and touches no clock, random source, environment or console · the products
 * never import each other · no cycle of files or folders · no file above 400 lines · a project that imports a
 * package references it in its tsconfig.json (else the compiler reads that package's sources, and the globals that
 * its libraries declare, as the project's own).
 */
import { posix } from 'node:path'
import { findCycles, folderGraph } from './graph.ts'
import { isPure, pureBuiltins, pureCryptoNames, pureLibraries } from './purity.ts'
import type { Import, Source } from './source.ts'

export interface Breach {
  readonly rule: 'purity' | 'products' | 'cycle' | 'length' | 'import' | 'reference'
  readonly where: string
  readonly what: string
}

/** A workspace package: its name, its folder, and the file behind each of its exports (`.`, `./model`). */
export interface Package {
  readonly name: string
  readonly folder: string
  readonly exports: Readonly<Record<string, string>>
}

/** A TypeScript project: its folder and the folders that its tsconfig.json references. */
export interface Project {
  readonly folder: string
  readonly references: readonly string[]
}

export const longestFile = 400
const products = ['packages/lb/', 'packages/speaker/', 'packages/ingress/']

export function findBreaches(
  sources: readonly Source[],
  packages: readonly Package[],
  projects: readonly Project[],
): readonly Breach[] {
  const files = new Set(sources.map((source) => source.file))
  const resolve = (source: Source, entry: Import) => resolveImport(source.file, entry.specifier, packages)
  const breaches: Breach[] = []
  const graph = new Map<string, Set<string>>()
  for (const source of sources) {
    const targets = new Set<string>()
    graph.set(source.file, targets)
    for (const entry of source.imports) {
      const target = resolve(source, entry)
      const where = `${source.file}:${entry.line}`
      if (target !== undefined && files.has(target)) targets.add(target)
      if (target === 'unknown')
        breaches.push({ rule: 'import', where, what: `"${entry.specifier}" is no export` })
      breaches.push(...crossing(source, target, where), ...unreferenced(source, target, where, projects))
      if (isPure(source.file) && !entry.typeOnly) breaches.push(...impureImport(entry, target, where))
    }
    if (isPure(source.file)) {
      for (const { what, line } of source.impurities) {
        breaches.push({ rule: 'purity', where: `${source.file}:${line}`, what: `pure code uses ${what}` })
      }
    }
    if (source.lines > longestFile) {
      breaches.push({
        rule: 'length',
        where: source.file,
        what: `${source.lines} lines, more than ${longestFile}`,
      })
    }
  }
  for (const cycle of [...findCycles(graph), ...findCycles(folderGraph(graph))]) {
    breaches.push({ rule: 'cycle', where: cycle[0] ?? '', what: cycle.join(' → ') })
  }
  return breaches
}

function crossing(source: Source, target: string | undefined, where: string): Breach[] {
  const from = products.find((product) => source.file.startsWith(product))
  const to = products.find((product) => target?.startsWith(product))
  if (from === undefined || to === undefined || from === to) return []
  return [{ rule: 'products', where, what: `a product imports another: ${target}` }]
}

function unreferenced(
  source: Source,
  target: string | undefined,
  where: string,
  projects: readonly Project[],
): Breach[] {
  const project = projects.find(({ folder }) => source.file.startsWith(`${folder}/`))
  const wanted = projects.find(({ folder }) => target?.startsWith(`${folder}/`))
  if (project === undefined || wanted === undefined || project === wanted) return []
  if (project.references.includes(wanted.folder)) return []
  return [
    {
      rule: 'reference',
      where,
      what: `${project.folder}/tsconfig.json has no reference to ${wanted.folder}`,
    },
  ]
}

function impureImport(entry: Import, target: string | undefined, where: string): Breach[] {
  const breach = (what: string): Breach[] => [{ rule: 'purity', where, what }]
  if (target !== undefined)
    return isPure(target) ? [] : breach(`pure code imports ${target}, which is not pure`)
  if (entry.specifier.startsWith('node:')) {
    const hashing = entry.names.every((name) => pureCryptoNames.includes(name))
    return pureBuiltins.includes(entry.specifier) && hashing
      ? []
      : breach(`pure code imports ${entry.specifier}`)
  }
  const pure = pureLibraries.some(
    (name) => entry.specifier === name || entry.specifier.startsWith(`${name}/`),
  )
  return pure
    ? []
    : breach(`pure code imports ${entry.specifier}, which is not on the list of pure libraries`)
}

/** The imported file of the workspace, from the root; undefined for a library; 'unknown' for a missing export. */
export function resolveImport(
  file: string,
  specifier: string,
  packages: readonly Package[],
): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  const found = packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`))
  if (found === undefined) return undefined
  const subpath = `.${specifier.slice(found.name.length)}`
  const exact = found.exports[subpath]
  if (exact !== undefined) return posix.join(found.folder, exact)
  for (const [pattern, target] of Object.entries(found.exports)) {
    const [before = '', after] = pattern.split('*')
    if (after === undefined || !subpath.startsWith(before) || !subpath.endsWith(after)) continue
    const middle = subpath.slice(before.length, subpath.length - after.length)
    return posix.join(found.folder, target.replace('*', middle))
  }
  return 'unknown'
}
