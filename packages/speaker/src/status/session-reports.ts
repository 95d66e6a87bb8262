/**
 * Keeps the BGPSessionStatus objects of this node as its sessions are. A session that comes up or goes down is written
 * when it has stayed so for a moment, at most every 5 s; what changes of it otherwise (prefixes, another error of
 * another attempt) at most once a minute. The coordinator says of nodes without a living speaker that nothing is known,
 * and takes away what they left behind.
 * Where the kind is missing, or its role does not grant it, nothing is said.
 */
import { isDeepStrictEqual } from 'node:util'
import type { BGPSessionStatus } from '@landfall/api'
import {
  type Cluster,
  delayMs,
  hasStatus,
  pathOf,
  type RawObject,
  Reflector,
  StatusWriter,
  WorkQueue,
} from '@landfall/kube'
import { keyOf } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { OwnerReference } from './owner-reference.ts'
import {
  labelsOf,
  type Session,
  type SessionText,
  sessionName,
  sessionObject,
  sessionText,
  sessionType,
} from './session-object.ts'

export interface SessionTimes {
  readonly calmMs: number
  /** A session of a speaker that starts is up by then. */
  readonly startMs: number
  readonly changeMs: number
  readonly detailMs: number
  readonly sweepMs: number
  /** After the others no longer hear a speaker; one that restarts is back by then. */
  readonly silenceMs: number
}

const usualTimes: SessionTimes = {
  calmMs: 1500,
  startMs: 10_000,
  changeMs: 5000,
  detailMs: 60_000,
  sweepMs: 60_000,
  silenceMs: 10_000,
}
/** The kind may be installed later, and an API server that has just started refuses everybody. */
const absence = { firstMs: 1000, ceilingMs: 300_000 }

export interface SessionReportsOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly node: string
  readonly owner: () => OwnerReference | undefined
  readonly onError: () => void
  readonly times?: SessionTimes
}

export class SessionReports {
  readonly #options: SessionReportsOptions
  readonly #times: SessionTimes
  readonly #reflector: Reflector<BGPSessionStatus>
  readonly #queue: WorkQueue
  readonly #writer: StatusWriter
  readonly #sweeps: NodeJS.Timeout
  /** By the name of the object; undefined: it is not known yet. */
  #wanted: ReadonlyMap<string, Session> | undefined
  readonly #writtenAt = new Map<string, number>()
  #alive: ReadonlySet<string> | undefined
  #silence: NodeJS.Timeout | undefined
  /** What nobody kept at the last sweep. */
  #abandoned: ReadonlySet<string> = new Set()
  #absences = 0
  #askAgainAt = 0

  constructor(options: SessionReportsOptions) {
    this.#options = options
    this.#times = options.times ?? usualTimes
    const { cluster, logger, namespace, node } = options
    this.#writer = new StatusWriter(cluster, logger)
    this.#queue = new WorkQueue({ work: (name) => this.#reconcile(name), logger, gate: cluster.gate })
    const labelSelector = Object.entries(labelsOf(node)).map((pair) => pair.join('='))[0] ?? ''
    this.#reflector = new Reflector({
      cluster,
      logger,
      type: sessionType,
      namespace,
      labelSelector,
      optional: true,
      onChange: (changes) => {
        for (const { before, after } of changes) this.#touch((after ?? before)?.meta.name ?? '')
      },
    })
    this.#sweeps = setInterval(() => {
      this.#touchAll()
      void this.#sweep()
    }, this.#times.sweepMs)
    this.#sweeps.unref()
  }

  start(): void {
    this.#reflector.start()
    void this.#reflector.synced.then(() => this.#touchAll())
  }

  set(sessions: readonly Session[]): void {
    const before = this.#wanted
    this.#wanted = new Map(sessions.map((one) => [sessionName(this.#options.node, one.name), one]))
    for (const name of new Set([...this.#wanted.keys(), ...(before?.keys() ?? [])])) this.#touch(name)
  }

  /** @param alive the nodes whose speakers are heard; undefined: another speaker speaks for all */
  coordinate(alive: ReadonlySet<string> | undefined): void {
    const before = this.#alive
    this.#alive = alive
    if (alive === undefined || (before !== undefined && [...before].every((node) => alive.has(node)))) return
    this.#silence ??= setTimeout(() => {
      this.#silence = undefined
      void this.#markSilent()
    }, this.#times.silenceMs).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeps)
    clearTimeout(this.#silence)
    this.#reflector.stop()
    await this.#queue.stop()
  }

  #touchAll(): void {
    for (const name of this.#wanted?.keys() ?? []) this.#touch(name)
  }

  /** Writes it when its time has come; nothing is done where it stands already, nor where it cannot stand. */
  #touch(name: string): void {
    if (this.#wanted === undefined || !this.#reflector.hasSynced() || this.#reflector.isAbsent) return
    const rest = this.#restOf(name)
    if (rest === undefined) return
    const { calmMs, startMs } = this.#times
    const session = this.#wanted.get(name)
    const starts = session !== undefined && sessionText(session).reason === 'connecting'
    const wait = Math.max(rest, starts ? startMs : calmMs, this.#askAgainAt - performance.now())
    this.#queue.addAfter(name, wait)
  }

  /** How soon it may be written, in milliseconds; undefined: it says what it should. */
  #restOf(name: string): number | undefined {
    const session = this.#wanted?.get(name)
    const { changeMs, detailMs } = this.#times
    const known = this.#known(name)
    if (session === undefined) return known === undefined ? undefined : 0
    const { status } = known ?? {}
    const text = this.#textOf(session, status)
    if (isDeepStrictEqual(this.#whole(session, text), status)) return undefined
    const isNews = status?.bgpStatus !== text.bgpStatus || status?.bfdStatus !== text.bfdStatus
    const writtenAt = this.#writtenAt.get(name) ?? Number.NEGATIVE_INFINITY
    return Math.max(0, writtenAt + (isNews ? changeMs : detailMs) - performance.now())
  }

  async #reconcile(name: string): Promise<void> {
    // It may have come to be right, or something else, since.
    const session = this.#wanted?.get(name)
    const rest = this.#restOf(name)
    if (rest === undefined) return
    if (rest > 0) return this.#queue.addAfter(name, rest)
    try {
      if (session === undefined) await this.#remove(name)
      else await this.#write(name, session)
      this.#absences = 0
    } catch (error) {
      if (!hasStatus(error, 403, 404)) {
        this.#options.onError()
        throw error
      }
      const wait = delayMs(absence, this.#absences++)
      this.#askAgainAt = performance.now() + wait
      this.#queue.addAfter(name, wait)
    }
  }

  async #write(name: string, session: Session): Promise<void> {
    const { cluster, namespace, node, owner } = this.#options
    if (this.#known(name) === undefined)
      await cluster
        .create(sessionType, sessionObject({ namespace, node, peer: session.name }, owner()))
        .catch((error: unknown) => {
          if (!hasStatus(error, 409)) throw error
        })
    this.#writtenAt.set(name, performance.now())
    const key = `${namespace}/${name}`
    const outcome = await this.#writer.write(sessionType, key, (raw) => ({
      ...raw,
      status: this.#whole(session, this.#textOf(session, statusOf(raw))),
    }))
    if (outcome === 'forbidden') this.#queue.addAfter(name, this.#writer.forbiddenMs(sessionType, key))
  }

  /** A speaker that starts does not know since when a session is down; who was here before it did. */
  #textOf(session: Session, before: BGPSessionStatus['status']): SessionText {
    const text = sessionText(session)
    const stayed = text.bgpStatus === 'Down' && before?.bgpStatus === 'Down'
    return stayed && before.since !== undefined ? { ...text, since: before.since } : text
  }

  #whole({ name: peer }: Session, text: SessionText): object {
    return { node: this.#options.node, peer, ...text }
  }

  #known(name: string): BGPSessionStatus | undefined {
    return this.#reflector.get(`${this.#options.namespace}/${name}`)
  }

  async #remove(name: string): Promise<void> {
    this.#writtenAt.delete(name)
    const key = `${this.#options.namespace}/${name}` as const
    await this.#options.cluster.delete(sessionType, key).catch((error: unknown) => {
      if (!hasStatus(error, 404)) throw error
    })
  }

  /** What was left without a keeper at two sweeps in a row goes. */
  async #sweep(): Promise<void> {
    const abandoned = await this.#abandonedNow()
    const before = this.#abandoned
    this.#abandoned = new Set(abandoned.map(({ meta }) => meta.name))
    for (const { meta } of abandoned)
      if (before.has(meta.name)) await this.#options.cluster.delete(sessionType, keyOf(meta)).catch(() => {})
  }

  /** Its speaker says otherwise as soon as it can. */
  async #markSilent(): Promise<void> {
    for (const { meta, status } of await this.#abandonedNow()) {
      if (status?.bgpStatus === 'Unknown') continue
      const said = {
        bgpStatus: 'Unknown',
        reason: 'speakerSilent',
        message: `the speaker on node ${status?.node} is not heard; it said last: ${status?.bgpStatus}`,
      }
      await this.#writer
        .write(sessionType, keyOf(meta), (raw) => ({ ...raw, status: { ...statusOf(raw), ...said } }))
        .catch(() => {})
    }
  }

  /** What nobody keeps who is alive; nothing where another speaker coordinates. What fails is looked at again. */
  async #abandonedNow(): Promise<readonly BGPSessionStatus[]> {
    const { cluster, namespace } = this.#options
    const alive = this.#alive
    if (alive === undefined || this.#reflector.isAbsent || !this.#reflector.hasSynced()) return []
    const path = pathOf(sessionType, { namespace })
    const query = { resourceVersion: '0' }
    const list = await cluster
      .request<{ items?: readonly RawObject[] }>({ method: 'GET', path, query })
      .catch(() => undefined)
    return (list?.items ?? [])
      .map((raw) => sessionType.project(raw))
      .filter(({ status }) => status?.node !== undefined && !alive.has(status.node))
  }
}

function statusOf({ status }: RawObject): BGPSessionStatus['status'] {
  return typeof status === 'object' && status !== null ? { ...status } : undefined
}
