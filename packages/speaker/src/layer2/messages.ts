/** What the main thread and the layer 2 worker tell each other. */
import type { FromBfd, ToBfd } from '../bfd/index.ts'
import type { ChangeReason } from './codec/bodies.ts'
import type { Timing } from './codec/message.ts'
import type { PartitionPolicy } from './core/fence.ts'
import type { Member, PeerAddress } from './core/membership.ts'
import type { Candidate } from './core/placement.ts'

/** Fixed for the life of the worker. */
export interface WorkerOptions {
  readonly node: string
  readonly timing: Timing
  readonly port: number
  /** Address that heartbeats are received on and sent from; '': all. */
  readonly bindAddress: string
  /** The memberlist secret at the start; undefined: heartbeats are not authenticated, and stay so. */
  readonly secret: Uint8Array | undefined
  /** Regular expressions of interface names that never answer. */
  readonly excludes: readonly string[]
  /** 0: none. */
  readonly refreshMs: number
  readonly partition: PartitionPolicy
  /** undefined: a better-weighted node that joins takes nothing over. */
  readonly preferAfterMs: number | undefined
  /** 0: addresses are spread anew only when asked. */
  readonly rebalanceMs: number
}

export interface WantedAddress {
  readonly ip: string
  /** Addresses of one unit stay on one node. */
  readonly unit: string
  /** Nodes that may announce it; sorted by node. Those of one unit are the same. */
  readonly candidates: readonly Candidate[]
  /** Interface names; empty: all. */
  readonly interfaces: readonly string[]
}

export interface Desired {
  /** By text, those that may be different from before; undefined: it is not desired any more. */
  readonly addresses: ReadonlyMap<string, WantedAddress | undefined>
  readonly peers: readonly PeerAddress[]
}

/** A part of what changed in what is desired. */
export interface DesiredPart {
  readonly set: readonly WantedAddress[]
  readonly removed: readonly string[]
  /** Only in the last part. */
  readonly peers: readonly PeerAddress[] | undefined
}

export type ToWorker =
  | { readonly kind: 'desired'; readonly part: DesiredPart }
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  | { readonly kind: 'blind'; readonly blind: boolean }
  /** Spread the addresses anew. */
  | { readonly kind: 'rebalance' }
  | { readonly kind: 'bfd'; readonly message: ToBfd }
  | { readonly kind: 'ping'; readonly sequence: number }
  /** Hand over what is held; BFD goes on. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'stop' }

/** Counted since the last report, by address. */
export interface Counts {
  readonly requests: number
  readonly replies: number
  readonly gratuitous: number
}

/** What is the same for all addresses. */
export interface Layer2Part {
  /** False until the worker has heard who else is there. */
  readonly serving: boolean
  /** The right to answer lapsed: this node was cut off, or stood still. */
  readonly suspended: boolean
  readonly epoch: number
  /** Node name; '': none is followed. */
  readonly coordinator: string
  readonly members: readonly Member[]
}

/** Maps by address text, as they are now: they go on changing. */
export interface Layer2State extends Layer2Part {
  /** What this node owns, and the interfaces on which it answers; none: nowhere. */
  readonly announced: ReadonlyMap<string, readonly string[]>
  /** Owner of each desired address; '': nobody, or it is not known here. */
  readonly owners: ReadonlyMap<string, string>
}

/** Before the worker has told anything. */
export const noLayer2: Layer2State = {
  serving: false,
  suspended: true,
  epoch: 0,
  coordinator: '',
  members: [],
  announced: new Map(),
  owners: new Map(),
}

/** An address that this node took over, or announces anew. */
export interface OwnerChange {
  readonly ip: string
  readonly reason: ChangeReason
  /** For how long nobody had answered, in ms; 0: a planned move. */
  readonly silentMs: number
}

/** How one address stands now. */
export interface AddressReport {
  readonly ip: string
  /** undefined: it is not desired any more. */
  readonly owner: string | undefined
  /** Where this node answers for it; undefined: it does not. */
  readonly interfaces: readonly string[] | undefined
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What concerns only the two ends of the thread is left out of `WorkerMessage`. */
export type FromWorker =
  | WorkerMessage
  | { readonly kind: 'report'; readonly part: Layer2Part; readonly addresses: readonly AddressReport[] }
  /** Pings are answered from now on. */
  | { readonly kind: 'started' }
  | { readonly kind: 'pong'; readonly sequence: number }
  /** This node is silent. */
  | { readonly kind: 'left'; readonly handedOver: number }
  | { readonly kind: 'stopped' }

export type WorkerMessage =
  | { readonly kind: 'bfd'; readonly message: FromBfd }
  | { readonly kind: 'counts'; readonly counts: Readonly<Record<string, Counts>> }
  | { readonly kind: 'refusedHeartbeats'; readonly reason: string; readonly count: number }
  | { readonly kind: 'changes'; readonly changes: readonly OwnerChange[] }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly event: string
      readonly fields: Readonly<Record<string, string | number>>
    }

/** What the worker's handle tells. */
export type Observation =
  | WorkerMessage
  /** `changed`: addresses that stand differently than before. */
  | { readonly kind: 'state'; readonly state: Layer2State; readonly changed: ReadonlySet<string> }
