/** Content that an Envoy refused, as a line for people and for a replica that starts, and back again. */
import type { RefusedIn } from '../engine/refusals.ts'
import { layouts } from '../xds/layout.ts'
import { resourceTypes } from '../xds/resource.ts'

const longestWords = 2000

export function written({ layout, type, name, version, build, message }: RefusedIn): string {
  const envoy = build === '' ? 'unknown' : build
  return `${type} ${name} of content ${version} (${layout}), by Envoy ${envoy}: ${message.slice(0, longestWords)}`
}

const format = /^(\w+) (\S+) of content ([0-9a-f]{16}) \(([a-z-]+)\), by Envoy (\S+): (.*)$/s

/** undefined: it was written in other words. */
export function readRefused(line: string): RefusedIn | undefined {
  const [, kind, name = '', version = '', where, envoy = '', message = ''] = format.exec(line) ?? []
  const type = resourceTypes.find((one) => one === kind)
  const layout = layouts.find((one) => one === where)
  if (type === undefined || layout === undefined) return undefined
  return { layout, type, name, version, build: envoy === 'unknown' ? '' : envoy, message }
}
