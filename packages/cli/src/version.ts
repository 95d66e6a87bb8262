/** The one version, of the root package.json: written into a bundle, read from the file in a checkout. */
import { readFileSync } from 'node:fs'

declare const LANDFALL_VERSION: string | undefined

export function readVersion(): string {
  if (typeof LANDFALL_VERSION === 'string') return LANDFALL_VERSION
  const manifest = new URL('../../../package.json', import.meta.url)
  const { version }: { version: string } = JSON.parse(readFileSync(manifest, 'utf8'))
  return version
}
