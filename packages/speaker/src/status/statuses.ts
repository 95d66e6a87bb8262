/**
 * Everything that a speaker keeps in statuses: what it announces by each protocol, its BGP sessions, and how it judges
 * the configuration.
 */
import type { Cluster } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { Announcement } from '../announcements.ts'
import type { Layer2State } from '../layer2/messages.ts'
import type { Silence } from '../plan/reasons.ts'
import type { OwnerReference } from './owner-reference.ts'
import { bgpReports, layer2Reports } from './report-object.ts'
import { ServiceReports, type Surroundings } from './service-reports.ts'
import type { Session } from './session-object.ts'
import { SessionReports } from './session-reports.ts'
import { type Judgement, StateReport } from './state-report.ts'
import { wantedReports } from './wanted-reports.ts'

export interface StatusesOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly node: string
  /** The DaemonSet; asked when something is created. */
  readonly owner: () => Promise<OwnerReference | undefined>
  /** The Node, with which goes what is said of it alone. */
  readonly nodeOwner: () => OwnerReference | undefined
  readonly onError: () => void
}

export class Statuses {
  readonly #node: string
  readonly #layer2: ServiceReports
  readonly #bgp: ServiceReports
  readonly #sessions: SessionReports
  readonly #state: StateReport

  constructor({ owner, nodeOwner, ...options }: StatusesOptions) {
    this.#node = options.node
    this.#layer2 = new ServiceReports({ ...options, owner, kind: layer2Reports })
    this.#bgp = new ServiceReports({ ...options, owner, kind: bgpReports })
    this.#sessions = new SessionReports({ ...options, owner: nodeOwner })
    this.#state = new StateReport({ ...options, owner: nodeOwner })
  }

  /** Resolves when it is known what is said already. */
  async start(): Promise<void> {
    // Definitions of MetalLB lack it, and nothing waits for it.
    this.#sessions.start()
    await Promise.all([this.#layer2.start(), this.#bgp.start(), this.#state.start()])
  }

  sessions(sessions: readonly Session[]): void {
    this.#sessions.set(sessions)
  }

  judge(judgement: Judgement): void {
    this.#state.set(judgement)
  }

  /**
   * The coordinator of layer 2 speaks for all.
   * @param only the Services that the announcements are of, and those of them that are gone; undefined: all
   */
  report(
    announcements: readonly Announcement[],
    { serving, coordinator, members }: Pick<Layer2State, 'serving' | 'coordinator' | 'members'>,
    known: Omit<Surroundings, 'coordinates' | 'isAlive'>,
    only?: ReadonlySet<Key>,
  ): void {
    const coordinates = serving && coordinator === this.#node
    const alive = livingNodes(this.#node, members)
    const around = { ...known, coordinates, isAlive: (node: string) => alive.has(node) }
    const { layer2, bgp } = wantedReports(announcements, coordinates)
    this.#bgp.set(bgp, around, only)
    this.#sessions.coordinate(coordinates ? alive : undefined)
    // Until the others were heard nobody knows who announces what.
    if (serving) this.#layer2.set(layer2, around, only)
  }

  /** This node has lost the right to announce anything by layer 2, and not just for a moment. */
  lapse({ reason, message }: Silence): void {
    this.#layer2.lapse(reason, message)
  }

  /** Whether it is said already that this node announces it. */
  isReported({ protocol, key }: Announcement): boolean {
    return (protocol === 'bgp' ? this.#bgp : this.#layer2).isReported(key)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#layer2, this.#bgp, this.#sessions, this.#state].map((part) => part.stop()))
  }
}

/** This node, and those that it hears: `members` are the others. */
export function livingNodes(own: string, members: Layer2State['members']): ReadonlySet<string> {
  const heard = members.filter(({ state }) => state !== 'dead' && state !== 'left')
  return new Set([own, ...heard.map(({ node }) => node)])
}
