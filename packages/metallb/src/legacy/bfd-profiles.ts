/** `bfd-profiles` → BFDProfile objects, and whether the profiles that peers name exist. */
import type { BFDProfile, BGPPeer } from '@landfall/api'
import type { Meta } from '@landfall/kube/model'
import { given, type Made, metaOf } from './made.ts'
import type { Section } from './section.ts'

export function readProfiles(sections: readonly Section[], from: Meta): readonly Made<BFDProfile>[] {
  const names = new Set<string>()
  return sections.map((section) => {
    const name = section.text('name') ?? ''
    if (name === '') section.report('name', 'MissingField', 'a profile needs a name')
    else if (names.has(name)) section.report('name', 'DuplicateValue', `there is a profile ${name} already`)
    names.add(name)
    const spec = {
      ...given('receiveInterval', between(section, 'receive-interval', 10, 60_000)),
      ...given('transmitInterval', between(section, 'transmit-interval', 10, 60_000)),
      ...given('detectMultiplier', between(section, 'detect-multiplier', 2, 255)),
      ...given('echoInterval', between(section, 'echo-interval', 10, 60_000)),
      ...given('echoMode', section.flag('echo-mode')),
      ...given('passiveMode', section.flag('passive-mode')),
      ...given('minimumTtl', between(section, 'minimum-ttl', 1, 254)),
    }
    section.finish()
    return { object: { meta: metaOf(name, from), spec }, path: section.path, fields: {} }
  })
}

export function reportUnknownProfiles(
  peers: readonly Made<BGPPeer>[],
  profiles: readonly Made<BFDProfile>[],
  whole: Section,
): void {
  for (const { object, path } of peers) {
    const wanted = object.spec.bfdProfile
    if (wanted === undefined || profiles.some((profile) => profile.object.meta.name === wanted)) continue
    const problem = `there is no profile ${JSON.stringify(wanted)}`
    whole.report(`${path}.bfd-profile`, 'InvalidValue', problem)
  }
}

function between(section: Section, key: string, least: number, most: number): number | undefined {
  const value = section.whole(key, most)
  if (value !== undefined && value < least) {
    section.report(key, 'InvalidValue', `${value} is not between ${least} and ${most}`)
  }
  return value
}
