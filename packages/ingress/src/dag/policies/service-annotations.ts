/** Annotations of a Service that say nothing: told to the objects that lead to it, as a Service has no condition of ours. */
import { keyOf, type Service } from '@landfall/kube/model'
import type { Problem } from '../problem.ts'
import { breakerNames, readBreaker } from './circuit-breakers.ts'
import { ignored } from './ignored-fields.ts'

const prefix = 'projectcontour.io/'
const limits: ReadonlySet<string> = new Set(breakerNames)
const protocols: ReadonlySet<string> = new Set(
  ['h2', 'h2c', 'tls'].map((name) => `upstream-protocol.${name}`),
)

export function serviceWarnings({ meta, ports }: Service): readonly Problem[] {
  const named = new Set(ports.flatMap(({ name, port }) => [name, String(port)]))
  return Object.entries(meta.annotations).flatMap(([annotation, value]) => {
    if (!annotation.startsWith(prefix)) return []
    const name = annotation.slice(prefix.length)
    return silent(name, value, named).map((why) =>
      ignored(`service "${keyOf(meta)}": annotation "${annotation}": ${why}`),
    )
  })
}

function silent(name: string, value: string, ports: ReadonlySet<string>): readonly string[] {
  if (limits.has(name))
    return Number(value) === 0 || readBreaker(value) !== undefined
      ? []
      : [`"${value}" is no whole number above 0, ignored`]
  if (!protocols.has(name)) return ['ignored on a Service']
  const entries = value.split(',').map((entry) => entry.trim())
  return entries
    .filter((entry) => entry !== '' && !ports.has(entry))
    .map((entry) => `no port is "${entry}", ignored`)
}
