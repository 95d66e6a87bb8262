/** Tells of changes in what is announced: log lines, Events on the Services, and the metric. Nothing unchanged is told. */
import type { EventRecorder } from '@landfall/kube'
import type { Key, ObjectReference } from '@landfall/kube/model'
import type { Gauge, Logger } from '@landfall/telemetry'
import type { Announced, Announcement, Outcome, ProtocolName } from './announcements.ts'
import type { Silence } from './plan/reasons.ts'
import type { Service } from './plan/world.ts'

export interface ReporterOptions {
  readonly node: string
  readonly logger: Logger
  readonly events: Pick<EventRecorder, 'record'>
  readonly announced: Gauge<'service' | 'protocol' | 'node' | 'ip'>
  /** Whether a report of an earlier life of this speaker says so already: then no Event. */
  readonly wasReported: (announcement: Announcement) => boolean
}

export class Reporter {
  readonly #options: ReporterOptions
  readonly #told = new Map<string, Announcement>()

  constructor(options: ReporterOptions) {
    this.#options = options
  }

  /** @param only the Services that they are of, and those of them that are gone; undefined: all */
  report(announcements: readonly Announcement[], only?: ReadonlySet<Key>): void {
    const now = new Map(announcements.map((a) => [idOf(a.protocol, a.key), a]))
    const ids =
      only === undefined
        ? this.#told.keys()
        : [...only].flatMap((key) => [idOf('layer2', key), idOf('bgp', key)])
    for (const id of ids) {
      const before = this.#told.get(id)
      if (before !== undefined) this.#ended(before, now.get(id)?.outcome)
      if (!now.has(id)) this.#told.delete(id)
    }
    for (const [id, announcement] of now) {
      this.#compare(this.#told.get(id), announcement)
      this.#told.set(id, announcement)
    }
  }

  #ended(before: Announcement, after: Outcome | undefined): void {
    const was = working(before.outcome)
    if (was === undefined) return
    const silence = silenceOf(after)
    if (after === undefined) this.#withdrawn(before, was, 'serviceDeleted', 'the Service is gone')
    else if (silence !== undefined) this.#withdrawn(before, was, silence.reason, silence.message)
    else if (!sameTexts(was.ips, working(after)?.ips))
      this.#withdrawn(before, was, 'loadBalancerIPChanged', 'the addresses changed')
  }

  #compare(before: Announcement | undefined, now: Announcement): void {
    const was = before?.outcome
    if (now.outcome.kind === 'silent') {
      const isTold = working(was) !== undefined || silenceOf(was)?.reason === now.outcome.reason
      if (isTold) return
      const { reason, message } = now.outcome
      this.#options.logger.debug(
        'notAnnounced',
        { service: now.key, protocol: now.protocol, reason },
        message,
      )
      return
    }
    const fault = faultOf(now.outcome)
    if (fault !== undefined && faultOf(was)?.message !== fault.message) this.#failed(now, fault)
    const works = working(now.outcome)
    if (works !== undefined && !sameTexts(works.ips, working(was)?.ips)) this.#announced(now, works)
  }

  #announced(announcement: Announcement, { ips }: Announced): void {
    const { key, protocol, service } = announcement
    const { node, logger, events } = this.#options
    logger.info('serviceAnnounced', { service: key, protocol, ips }, 'service is announced from this node')
    for (const ip of ips) this.#options.announced.set({ service: key, protocol, node, ip }, 1)
    if (this.#options.wasReported(announcement)) return
    const message = `announcing from node "${node}" with protocol "${protocol}"`
    events.record(referenceTo(service), { type: 'Normal', reason: 'nodeAssigned', message })
  }

  #withdrawn({ key, protocol }: Announcement, { ips }: Announced, reason: string, message: string): void {
    this.#options.logger.info('serviceWithdrawn', { service: key, protocol, ips, reason }, message)
    for (const ip of ips)
      this.#options.announced.remove({ service: key, protocol, node: this.#options.node, ip })
  }

  #failed({ key, service }: Announcement, { reason, message }: Silence): void {
    const { logger, events } = this.#options
    logger.warn('announceFailed', { service: key, reason }, message)
    events.record(referenceTo(service), { type: 'Warning', reason, message })
  }
}

/** undefined: nothing of it goes out. */
function working(outcome: Outcome | undefined): Announced | undefined {
  return outcome?.kind === 'announced' && outcome.failure === undefined ? outcome : undefined
}

/** Why nothing of it goes out. */
function silenceOf(outcome: Outcome | undefined): Pick<Silence, 'reason' | 'message'> | undefined {
  return outcome?.kind === 'announced' ? outcome.failure : outcome
}

/** Why not all of it goes out. */
function faultOf(outcome: Outcome | undefined): Silence | undefined {
  return outcome?.kind === 'announced' ? (outcome.failure ?? outcome.missing) : undefined
}

function idOf(protocol: ProtocolName, key: Key): string {
  return `${protocol} ${key}`
}

function referenceTo({ meta }: Service): ObjectReference {
  const { namespace, name, uid } = meta
  return { apiVersion: 'v1', kind: 'Service', namespace, name, uid }
}

function sameTexts(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a.length === b?.length && a.every((text, i) => text === b[i])
}
