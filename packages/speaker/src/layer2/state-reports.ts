/**
 * What the worker tells of itself: which addresses stand differently than was last told, at most every few
 * milliseconds and in slices; once a second how the members fare, and the counts.
 */
import { formatIP, ipFromBytes } from '@landfall/netip'
import { type AddressKey, bytesOfKey } from './codec/ethernet.ts'
import { liveHubs } from './core/election.ts'
import type { Layer2Core } from './core/layer2-core.ts'
import type { Member } from './core/membership.ts'
import type { AddressReport, Counts, FromWorker } from './messages.ts'

const pauseMs = 10
const addressesPerReport = 300
const countsMs = 1000

export interface Reported {
  readonly core: Layer2Core
  readonly node: string
  readonly post: (message: FromWorker) => void
  readonly isWanted: (address: AddressKey) => boolean
  /** Where this node answers for it. */
  readonly interfacesOf: (address: AddressKey) => readonly string[]
}

export class StateReports {
  readonly #of: Reported
  readonly #touched = new Set<AddressKey>()
  readonly #counts = new Map<AddressKey, { requests: number; replies: number; gratuitous: number }>()
  readonly #refusals = new Map<string, number>()
  readonly #seconds: NodeJS.Timeout
  #due: NodeJS.Timeout | undefined
  #told = ''
  #wasSuspended = true
  #closed = false

  constructor(of: Reported) {
    this.#of = of
    of.core.ledger.watch((address) => this.#touched.add(address))
    this.#seconds = setInterval(() => this.#second(), countsMs)
  }

  request(address: AddressKey, answered: boolean): void {
    const counts = this.#countOf(address)
    counts.requests++
    if (answered) counts.replies++
  }

  gratuitous(address: AddressKey): void {
    this.#countOf(address).gratuitous++
  }

  refused(reason: string): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
  }

  /** The address may stand differently now. */
  touch(address: AddressKey): void {
    this.#touched.add(address)
  }

  /** Something may be to tell. */
  changed(): void {
    if (this.#due !== undefined) return
    if (this.#touched.size === 0 && this.#summary() === this.#told) return
    this.#due = setTimeout(() => this.#report(), pauseMs)
  }

  close(): void {
    clearInterval(this.#seconds)
    clearTimeout(this.#due)
    this.#closed = true
    this.#second()
  }

  #second(): void {
    for (const [reason, count] of this.#refusals) this.#of.post({ kind: 'refusedHeartbeats', reason, count })
    this.#refusals.clear()
    this.#told = ''
    this.#report()
    this.#tellCounts()
  }

  /** The rest in the next turns of the loop. */
  #tellCounts(): void {
    if (this.#counts.size === 0) return
    const counts: Record<string, Counts> = {}
    let left = addressesPerReport
    for (const [address, count] of this.#counts) {
      if (left-- <= 0 && !this.#closed) break
      this.#counts.delete(address)
      counts[textOfKey(address)] = count
    }
    this.#of.post({ kind: 'counts', counts })
    if (this.#counts.size > 0) setImmediate(() => this.#tellCounts())
  }

  #report(): void {
    clearTimeout(this.#due)
    this.#due = undefined
    const { core, post } = this.#of
    const suspended = !core.mayAnswer(performance.now())
    if (suspended !== this.#wasSuspended) for (const address of core.held) this.#touched.add(address)
    this.#wasSuspended = suspended
    this.#told = this.#summary()
    const addresses: AddressReport[] = []
    for (const address of this.#touched) {
      if (addresses.length >= addressesPerReport) break
      this.#touched.delete(address)
      addresses.push(this.#reportOf(address, suspended))
    }
    const { epoch, coordinator } = core.following
    const members = this.#members()
    const part = { serving: core.state === 'serving' && !suspended, suspended, epoch, coordinator, members }
    post({ kind: 'report', part, addresses })
    this.changed()
  }

  #reportOf(address: AddressKey, suspended: boolean): AddressReport {
    const { core, node, isWanted, interfacesOf } = this.#of
    const ip = textOfKey(address)
    if (!isWanted(address)) return { ip, owner: undefined, interfaces: undefined }
    if (core.held.has(address) && !suspended) return { ip, owner: node, interfaces: interfacesOf(address) }
    return { ip, owner: this.#ownerOf(address), interfaces: undefined }
  }

  /** As far as it is known here; '': it is not, or nobody. */
  #ownerOf(address: AddressKey): string {
    const { core, node } = this.#of
    let owner = ''
    for (const holder of core.ledger.holdersOf(address))
      if (holder !== node && !core.ledger.isPending(holder, address)) owner = holder
    return owner
  }

  #members(): readonly Member[] {
    const { core, node } = this.#of
    const now = performance.now()
    const isHub = liveHubs(node, core.membership, now).has(node)
    return core.membership.members(now, (one) => isHub || one === core.following.coordinator)
  }

  /** What is told beside the addresses, as far as a change of it is worth a report. */
  #summary(): string {
    const { core } = this.#of
    const members = this.#members().map(({ node, state }) => `${node} ${state}`)
    const { epoch, coordinator } = core.following
    return [core.state, core.mayAnswer(performance.now()), epoch, coordinator, ...members].join()
  }

  #countOf(address: AddressKey): { requests: number; replies: number; gratuitous: number } {
    let counts = this.#counts.get(address)
    if (counts === undefined) this.#counts.set(address, (counts = { requests: 0, replies: 0, gratuitous: 0 }))
    return counts
  }
}

export function textOfKey(key: AddressKey): string {
  const ip = ipFromBytes(bytesOfKey(key))
  return ip === undefined ? '' : formatIP(ip)
}
