/** What is to be said of each Service, by protocol (pure): that this node announces it, or that none does. */
import type { Key } from '@landfall/kube/model'
import type { Announcement, ProtocolName } from '../announcements.ts'
import type { Wanted } from './service-reports.ts'

export type WantedReports = Readonly<Record<ProtocolName, ReadonlyMap<Key, Wanted>>>

/** `coordinates`: this speaker speaks for all. */
export function wantedReports(announcements: readonly Announcement[], coordinates: boolean): WantedReports {
  const wanted = { layer2: new Map<Key, Wanted>(), bgp: new Map<Key, Wanted>() }
  for (const { key, protocol, outcome, nowhere } of announcements) {
    if (outcome.kind === 'announced') {
      const { reason = '', message = outcome.missing?.message ?? '' } = outcome.failure ?? {}
      wanted[protocol].set(key, { kind: 'here', names: outcome.names, reason, message })
    } else if (coordinates && nowhere !== undefined) {
      const { reason, message } = nowhere
      wanted[protocol].set(key, { kind: 'nowhere', reason, message })
    }
  }
  return wanted
}
