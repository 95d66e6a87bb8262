/** A live copy of what the speakers report of their BGP sessions, by peer; says whose reports changed. */
import * as api from '@landfall/api'
import {
  type Change,
  type Cluster,
  customType,
  projectMeta,
  Reflector,
  type ResourceType,
} from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { PeerSession } from './peer-status.ts'

interface Reported extends KubeObject, PeerSession {
  readonly peer: string
}

export interface PeerSessionsOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly logger: Logger
  readonly onChange: (peers: ReadonlySet<string>) => void
}

const none: readonly PeerSession[] = []

export class PeerSessions {
  readonly #reflector: Reflector<Reported>
  readonly #byPeer = new Map<string, readonly Reported[]>()

  constructor({ cluster, namespace, logger, onChange }: PeerSessionsOptions) {
    this.#reflector = new Reflector({
      cluster,
      namespace,
      logger,
      type: reportedType,
      optional: true,
      onChange: (changes) => onChange(this.#follow(changes)),
    })
  }

  /** Resolves after the first sync. */
  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.synced
  }

  stop(): void {
    this.#reflector.stop()
  }

  /** undefined: not known yet. */
  of(peer: string): readonly PeerSession[] | undefined {
    if (!this.#reflector.hasSynced()) return undefined
    return this.#byPeer.get(peer) ?? none
  }

  #follow(changes: readonly Change<Reported>[]): ReadonlySet<string> {
    const peers = new Set<string>()
    for (const { before, after } of changes) {
      if (before !== undefined) {
        const left = (this.#byPeer.get(before.peer) ?? []).filter((one) => one !== before)
        if (left.length > 0) this.#byPeer.set(before.peer, left)
        else this.#byPeer.delete(before.peer)
        peers.add(before.peer)
      }
      // Just created: its status follows in a moment.
      if (after === undefined || after.peer === '') continue
      this.#byPeer.set(after.peer, [...(this.#byPeer.get(after.peer) ?? []), after])
      peers.add(after.peer)
    }
    return peers
  }
}

const reportedType: ResourceType<Reported> = {
  ...customType<Reported>(api.bgpSessionStatus),
  project: (raw) => {
    const { status } = customType<api.BGPSessionStatus>(api.bgpSessionStatus).project(raw)
    const { node = '', peer = '', bgpStatus, reason = '', message = '' } = status ?? {}
    return { meta: projectMeta(raw), node, peer, established: bgpStatus === 'Established', reason, message }
  },
}
