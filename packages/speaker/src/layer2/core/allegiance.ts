/**
 * Whom this member follows, and when it coordinates itself (pure).
 *
 * Epochs order the coordinators: one that begins takes a number above all that it has heard of. The `backing` is the
 * epoch that what a member holds belongs to; of two that hold one address the higher keeps it. Both count from the
 * backing that was settled last, by as many as the side has members, so that after a partition the larger side keeps
 * what it holds, however often the smaller one began anew.
 */
import type { Coordinating, Following, Header, MemberState } from '../codec/message.ts'
import { type First, firstLive } from './election.ts'
import type { Membership } from './membership.ts'
import type { Predecessor } from './reign.ts'
import type { Deadlines } from './timing.ts'

export class Allegiance {
  readonly #node: string
  readonly #membership: Membership
  readonly #deadlines: Deadlines
  #highest = 0
  #begunAt: number | undefined
  /** Since when nothing was missed by standing still. */
  #hearingSince = 0
  #heardAt = Number.NEGATIVE_INFINITY
  /** When it last left its place to one that it did not hear. */
  #toldAt = Number.NEGATIVE_INFINITY
  #supersededSince: number | undefined
  state: MemberState = 'joining'
  /** Has had no API server for a while. */
  blind = false
  following: Following = { epoch: 0, coordinator: '' }
  backing = 0
  #settledBacking = 0

  constructor(node: string, membership: Membership, deadlines: Deadlines) {
    this.#node = node
    this.#membership = membership
    this.#deadlines = deadlines
  }

  /** Was of a side on which it was known who holds what. */
  get wasSettled(): boolean {
    return this.#settledBacking > 0
  }

  get begun(): boolean {
    return this.#begunAt !== undefined
  }

  get leads(): boolean {
    return this.following.coordinator === this.#node
  }

  /** Nobody else should run a speaker. */
  get isOnly(): boolean {
    return this.#membership.peers.size === 0
  }

  begin(now: number): void {
    this.#begunAt = this.#hearingSince = now
  }

  /** The process stood still: what it has not heard means nothing. */
  stalled(now: number): void {
    this.#hearingSince = now
  }

  heard({ following, backing }: Header, now: number): void {
    this.#heardAt = now
    this.#highest = Math.max(this.#highest, following.epoch, backing)
  }

  /** Listening ends: whoever is there has been heard, or for twice as long nobody was. */
  settle(now: number): void {
    if (this.state !== 'joining' || this.#begunAt === undefined) return
    const { detectMs } = this.#deadlines
    const wait = this.isOnly ? 0 : this.#heardAt > this.#begunAt ? detectMs : 2 * detectMs
    if (now >= this.#begunAt + wait) this.state = 'serving'
  }

  /** The coordinator is alive, and coordinates still. */
  hearsCoordinator(now: number): boolean {
    const { coordinator, epoch } = this.following
    const following = this.#membership.peers.get(coordinator)?.header?.following
    if (following?.coordinator !== coordinator || following.epoch < epoch) return false
    return this.#membership.alive(coordinator, now)
  }

  /** Hears nobody, for long enough to believe that nobody is there. */
  isAlone(now: number): boolean {
    const { detectMs } = this.#deadlines
    for (const { node, header, heardAt } of this.#membership.peers.values()) {
      if (header?.state === 'left' && heardAt > this.#hearingSince) continue
      // After a stall, or at the start, silence means less.
      const since = heardAt > this.#hearingSince ? heardAt + detectMs : this.#hearingSince + 2 * detectMs
      if (now < since || this.#membership.alive(node, now)) return false
    }
    return true
  }

  /** Those alive, this one included. */
  sideSize(now: number): number {
    return this.#live(now).length + 1
  }

  /** Whom to follow from now on, and by which epoch; undefined: no other than until now. */
  toFollow(now: number): Following | undefined {
    const first = this.#first(now)?.node
    const following = this.#membership.peers.get(first ?? '')?.header?.following
    const isLater = following !== undefined && following.epoch > this.following.epoch
    return isLater && following.coordinator === first ? following : undefined
  }

  /** Whether it falls to this member to coordinate, or to do so anew. */
  mustLead(now: number): boolean {
    if (this.state === 'joining' || this.state === 'left' || this.#first(now)?.node !== this.#node)
      return false
    const heardSomebody = this.#heardAt > this.#hearingSince && this.#live(now).length > 0
    if (!heardSomebody && !this.isAlone(now)) return false
    return !this.leads || this.#isContested(now)
  }

  /** @returns how it came to that */
  lead(now: number): Predecessor {
    const predecessor = this.#predecessor(now)
    const above = Math.max(this.#highest, this.following.epoch, this.backing) + 1
    this.#highest = Math.max(above, this.#settledBacking + this.sideSize(now))
    this.following = { epoch: this.#highest, coordinator: this.#node }
    return predecessor
  }

  stepDown(): void {
    this.following = { epoch: this.following.epoch, coordinator: '' }
  }

  /** Told to others: who does not hear it leaves it its place all the same. */
  coordinating(now: number): Coordinating | undefined {
    const first = this.#first(now)
    if (first === undefined || first.node === this.#node) return undefined
    const { node, blind, heardAt } = first
    const known = this.#membership.peers.get(node)?.header
    const isHeard = this.#membership.alive(node, now) && known?.state !== 'joining'
    if (isHeard && known?.following.coordinator !== node) return undefined
    // It ages on the wire, too; so none goes round for ever.
    return { node, blind, heardMs: Math.round(now - heardAt + this.#deadlines.marginMs) }
  }

  /**
   * Where single links are broken, two could coordinate who do not hear each other: one that comes first coordinates,
   * and is not heard here. The other one, and who follows it, give way.
   */
  isSuperseded(now: number): boolean {
    const { node } = this.#first(now) ?? { node: this.#node }
    const isUnheard = node !== this.#node && !this.#membership.alive(node, now)
    if (isUnheard) this.#toldAt = now
    const { coordinator } = this.following
    if (!isUnheard || coordinator === '' || coordinator === node) this.#supersededSince = undefined
    else this.#supersededSince ??= now
    const { intervalMs } = this.#deadlines
    // It may be about to be heard.
    return this.#supersededSince !== undefined && now - this.#supersededSince > intervalMs * 1.5
  }

  /** What is held from now on belongs to this side; what is held in doubt is of none yet. */
  standApart(now: number): void {
    this.backing = Math.max(this.backing, this.#settledBacking + this.sideSize(now))
  }

  /** @param whole nobody of before is still to be reckoned with */
  settled(backing: number, whole: boolean): void {
    this.backing = backing
    if (whole) this.#settledBacking = backing
  }

  #first(now: number): First | undefined {
    return firstLive(
      { node: this.#node, joining: this.state === 'joining', blind: this.blind },
      this.#membership,
      now,
    )
  }

  #live(now: number): readonly string[] {
    return [...this.#membership.peers.keys()].filter((node) => this.#membership.alive(node, now))
  }

  /** Someone alive knows of a later epoch, be it of an earlier life of this member, or of another coordinator of this one. */
  #isContested(now: number): boolean {
    for (const { node, header } of this.#membership.peers.values()) {
      if (header === undefined || !this.#membership.alive(node, now)) continue
      const { epoch, coordinator } = header.following
      if (epoch > this.following.epoch) return true
      if (coordinator !== this.#node && epoch === this.following.epoch) return true
    }
    return false
  }

  #predecessor(now: number): Predecessor {
    const { coordinator, epoch } = this.following
    for (const { node, header } of this.#membership.peers.values())
      if (header?.following.coordinator === node && this.#membership.alive(node, now))
        return { kind: 'alive', node, epoch: this.#soleEpoch(header.following, now) }
    const known = this.#membership.peers.get(coordinator)?.header
    if (coordinator !== '' && coordinator !== this.#node && known !== undefined) {
      // One that said goodbye, or started anew, gave rights until then.
      const silent = known.state !== 'left' && !this.#membership.alive(coordinator, now)
      if (silent) return { kind: 'dead', node: coordinator }
      return { kind: 'alive', node: coordinator, epoch: this.#soleEpoch({ epoch, coordinator }, now) }
    }
    const { leaseMs, marginMs, intervalMs } = this.#deadlines
    // The other one, which is not heard, has yet to hear that it is superseded.
    const since = this.#hearsOfAnother(now)
      ? now + 4 * intervalMs
      : Math.max(this.#hearingSince, this.#toldAt)
    return { kind: 'none', rightsUntil: this.isOnly ? now : since + leaseMs + marginMs }
  }

  /** Its epoch, if nobody alive follows anyone else. */
  #soleEpoch({ epoch, coordinator }: Following, now: number): number | undefined {
    const isSole = [...this.#membership.peers.values()].every(({ node, header }) => {
      if (header === undefined || !this.#membership.alive(node, now)) return true
      const { following } = header
      if (following.coordinator === coordinator && following.epoch === epoch) return true
      // What it was last heard to follow is over.
      return (
        following.coordinator === '' || (following.epoch < epoch && this.#hasEnded(following.coordinator))
      )
    })
    return isSole ? epoch : undefined
  }

  #hasEnded(coordinator: string): boolean {
    const header = this.#membership.peers.get(coordinator)?.header
    return header !== undefined && (header.state === 'left' || header.following.coordinator !== coordinator)
  }

  /** Someone alive follows another, who is not heard. */
  #hearsOfAnother(now: number): boolean {
    return [...this.#membership.peers.values()].some(({ node, header }) => {
      const coordinator = header?.following.coordinator ?? ''
      return coordinator !== '' && coordinator !== this.#node && this.#membership.alive(node, now)
    })
  }
}
