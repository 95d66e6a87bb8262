/**
 * One interface as the responder sees it: what it may answer there, and the solicited-node groups it has joined.
 * Without a group that could not be joined the card lets all of them through instead, so that nothing that reaches
 * it goes unanswered.
 */
import { type PacketRing, SolicitedNodeGroups } from '@landfall/net'
import type { AnsweringInterface } from './core/interface-rules.ts'

export interface Owned {
  /** Interface names on which it answers; undefined: all. */
  readonly only: ReadonlySet<string> | undefined
  /** The last 24 bits of an IPv6 address, which its solicited-node group goes by. */
  readonly group: number | undefined
}

export type LogResponder = (
  level: 'info' | 'warn',
  event: string,
  fields: Readonly<Record<string, string | number>>,
) => void

export interface LinkObserver {
  readonly log: LogResponder
  /** The link has had no carrier for a while. */
  cut(): void
}

/** A flap, or a switch that is set up anew, is over by then. */
const cutMs = 2000

export class ResponderLink {
  readonly #observer: LinkObserver
  #interface: AnsweringInterface
  #groups: SolicitedNodeGroups | undefined
  /** The ring that has the card let all groups through. */
  #allMulticast: PacketRing | undefined
  #isCut: boolean
  #cutting: NodeJS.Timeout | undefined

  constructor(i: AnsweringInterface, observer: LinkObserver) {
    this.#observer = observer
    this.#interface = i
    this.#isCut = !i.running
    this.#logKinds('create', kindsOf(i))
  }

  get interface(): AnsweringInterface {
    return this.#interface
  }

  serves(owned: Owned): boolean {
    if (owned.only !== undefined && !owned.only.has(this.#interface.name)) return false
    return owned.group === undefined ? this.#interface.arp : this.#interface.ndp
  }

  /** Nothing has come or gone there for a while. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** Whether those that know the addresses by this interface have to be told anew. */
  become(next: AnsweringInterface): boolean {
    const before = this.#interface
    const renamed = before.name !== next.name
    const had = renamed ? [] : kindsOf(before)
    const has = renamed ? [] : kindsOf(next)
    this.#logKinds(
      'delete',
      kindsOf(before).filter((kind) => !has.includes(kind)),
    )
    this.#interface = next
    this.#watchCarrier(next.running)
    const added = kindsOf(next).filter((kind) => !had.includes(kind))
    this.#logKinds('create', added)
    if (renamed || !next.ndp) this.#closeGroups()
    const cut = !before.running || before.carrierUps !== next.carrierUps
    return added.length > 0 || (next.running && cut) || !equalBytes(before.mac, next.mac)
  }

  /** True when the groups are not joined: the caller then joins one for each address. */
  needsGroups(ring: PacketRing): boolean {
    if (!this.#interface.ndp || this.#groups !== undefined) return false
    this.#groups = new SolicitedNodeGroups(this.#interface.index, (error) => {
      if (this.#allMulticast !== undefined) return
      const { name, index } = this.#interface
      this.#observer.log('warn', 'joinGroupFailed', { interface: name, error: error.message })
      if (ring.receiveAllMulticast(index, true)) this.#allMulticast = ring
    })
    return true
  }

  join(owned: Owned): void {
    if (owned.group !== undefined && this.serves(owned)) this.#groups?.join(owned.group)
  }

  leave(owned: Owned): void {
    if (owned.group !== undefined && this.serves(owned)) this.#groups?.leave(owned.group)
  }

  close(): void {
    clearTimeout(this.#cutting)
    this.#closeGroups()
    this.#logKinds('delete', kindsOf(this.#interface))
  }

  #watchCarrier(running: boolean): void {
    if (running) {
      clearTimeout(this.#cutting)
      this.#cutting = undefined
      this.#isCut = false
    } else if (!this.#isCut)
      this.#cutting ??= setTimeout(() => {
        this.#cutting = undefined
        this.#isCut = true
        this.#observer.cut()
      }, cutMs)
  }

  #closeGroups(): void {
    this.#groups?.close()
    this.#groups = undefined
    this.#allMulticast?.receiveAllMulticast(this.#interface.index, false)
    this.#allMulticast = undefined
  }

  #logKinds(what: 'create' | 'delete', kinds: readonly Kind[]): void {
    for (const kind of kinds)
      this.#observer.log('info', `${what}${kind}Responder`, { interface: this.#interface.name })
  }
}

type Kind = 'ARP' | 'NDP'

function kindsOf(i: AnsweringInterface): readonly Kind[] {
  return [...(i.arp ? (['ARP'] as const) : []), ...(i.ndp ? (['NDP'] as const) : [])]
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
