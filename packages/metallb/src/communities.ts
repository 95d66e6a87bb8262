/** BGP communities: `n:n` of 16 bits each (RFC 1997), `large:n:n:n` of 32 bits each (RFC 8092), and aliases. */
import type { Community } from '@landfall/api'
import type { BGPCommunity } from './config.ts'
import { problemsOf, type Refusal } from './refusal.ts'

export type Aliases = ReadonlyMap<string, BGPCommunity>

export function parseCommunity(text: string): BGPCommunity | undefined {
  const large = /^large:(\d+):(\d+):(\d+)$/.exec(text)
  if (large !== null) {
    const [a, b, c] = [Number(large[1]), Number(large[2]), Number(large[3])]
    return Math.max(a, b, c) <= 0xffffffff ? { kind: 'large', value: [a, b, c] } : undefined
  }
  const standard = /^(\d+):(\d+)$/.exec(text)
  if (standard === null) return undefined
  const [high, low] = [Number(standard[1]), Number(standard[2])]
  return Math.max(high, low) <= 0xffff ? { kind: 'standard', value: high * 0x10000 + low } : undefined
}

export function formatCommunity(community: BGPCommunity): string {
  if (community.kind === 'large') return `large:${community.value.join(':')}`
  return `${Math.floor(community.value / 0x10000)}:${community.value % 0x10000}`
}

/** The aliases of all objects; an alias that two objects give belongs to the first. `objects`: oldest first. */
export function readAliases(objects: readonly Community[]): {
  aliases: Aliases
  refusals: readonly Refusal[]
} {
  const aliases = new Map<string, BGPCommunity>()
  const refusals: Refusal[] = []
  for (const object of objects) {
    const problems = problemsOf('Community', object)
    for (const [index, { name = '', value = '' }] of (object.spec?.communities ?? []).entries()) {
      const field = `spec.communities[${index}]`
      const community = parseCommunity(value)
      if (name === '') problems.report(`${field}.name`, 'MissingField', 'an alias needs a name')
      else if (community === undefined) {
        problems.report(`${field}.value`, 'InvalidValue', `${JSON.stringify(value)} is no community`)
      } else if (aliases.has(name)) {
        problems.report(`${field}.name`, 'DuplicateCommunity', `${JSON.stringify(name)} is defined already`)
      } else aliases.set(name, community)
    }
    refusals.push(...problems.found)
  }
  return { aliases, refusals }
}
