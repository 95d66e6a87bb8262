/**
 * THIRD_PARTY_NOTICES: every library that goes into the programs, its licence and the licence's text, from the
 * lockfile by way of the package manager. A licence that is not on the list is an error: read it, then decide.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const accepted = [
  'MIT',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  '0BSD',
  'MPL-2.0',
  'BlueOak-1.0.0',
  'PSF-2.0',
  'Unlicense',
]

export interface Library {
  readonly name: string
  readonly versions: readonly string[]
  readonly paths: readonly string[]
  readonly license: string
}

/** The libraries that the programs depend on, sorted by name; those of the lab and of development are left out. */
export function listLibraries(root: string): readonly Library[] {
  const args = ['licenses', 'list', '--json', '--prod', '--filter', '@landfall/cli...']
  const output = execFileSync('pnpm', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  const byLicense: Readonly<Record<string, readonly Library[]>> = JSON.parse(output)
  return Object.values(byLicense)
    .flat()
    .filter((library) => !library.name.startsWith('@landfall/') && !library.name.startsWith('@envoyproxy/'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The libraries whose licence is not accepted: of `A OR B` one must be, of `A AND B` both. */
export function refusedLicenses(libraries: readonly Library[]): readonly string[] {
  return libraries
    .filter(({ license }) => !isAccepted(license))
    .map(({ name, versions, license }) => `${name} ${versions.join(', ')}: ${license}`)
}

function isAccepted(license: string): boolean {
  const choices = license.replace(/[()]/g, '').split(' OR ')
  return choices.some((choice) => choice.split(' AND ').every((one) => accepted.includes(one)))
}

export function renderNotices(libraries: readonly Library[]): string {
  const parts = libraries.map((library) => {
    const title = `${library.name} ${library.versions.join(', ')} (${library.license})`
    return `${title}\n${'-'.repeat(title.length)}\n\n${licenseText(library)}\n`
  })
  return `Landfall contains these libraries.\n\n${parts.join('\n\n')}`
}

function licenseText(library: Library): string {
  const folder = library.paths[0] ?? ''
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
  if (files.length === 0) return `Licensed under ${library.license}; the package carries no text of it.`
  return files.map((name) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n')
}
