/**
 * Sends the gratuitous announcements that the schedule asks for, in slices that delay nothing else on the loop:
 * without a pause while addresses wait for their first one, a few milliseconds apart otherwise.
 */
import type { AddressKey } from './codec/ethernet.ts'
import { GratuitousSchedule } from './core/gratuitous.ts'

const sliceMs = 1
const pauseMs = 5

export class Announcements {
  readonly #announce: (address: AddressKey) => boolean
  readonly #schedule: GratuitousSchedule
  #soon: NodeJS.Immediate | undefined
  #later: NodeJS.Timeout | undefined

  /** `refreshMs` 0: no refresh. `announce`: whether it went out. */
  constructor(refreshMs: number, announce: (address: AddressKey) => boolean) {
    this.#schedule = new GratuitousSchedule(refreshMs)
    this.#announce = announce
  }

  /** Announced in the next turn of the loop, then repeated; anew if it was known. */
  acquire(addresses: Iterable<AddressKey>): void {
    for (const address of addresses) this.#schedule.acquire(address, performance.now())
    this.#wake()
  }

  release(addresses: Iterable<AddressKey>): void {
    for (const address of addresses) this.#schedule.release(address)
  }

  close(): void {
    clearImmediate(this.#soon)
    clearTimeout(this.#later)
  }

  #wake(): void {
    clearTimeout(this.#later)
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined
      this.#slice()
    })
  }

  #slice(): void {
    const now = performance.now()
    // One at a time: what a frame costs the kernel is not ours to say.
    do {
      const [address] = this.#schedule.take(now, 1)
      if (address === undefined) break
      if (!this.#announce(address)) this.#schedule.refused(address, now)
    } while (performance.now() < now + sliceMs)
    if (this.#schedule.first > 0) return this.#wake()
    const next = this.#schedule.next()
    if (next === undefined) return
    this.#later = setTimeout(() => this.#slice(), Math.max(pauseMs, next - performance.now()))
  }
}

/** Of interfaces that are new or returned: there alone, as those on the others know the addresses. Nothing is refreshed. */
export class LinkAnnouncements {
  readonly #announcements: Announcements

  /** `announce`: whether it went out there. */
  constructor(announce: (address: AddressKey, name: string) => boolean) {
    this.#announcements = new Announcements(0, (key) => {
      const at = key.indexOf('/')
      return announce(key.slice(at + 1), key.slice(0, at))
    })
  }

  /** What is given up meanwhile is not announced. @param name of an interface, in which there is no slash */
  acquire(name: string, addresses: readonly AddressKey[]): void {
    this.#announcements.acquire(addresses.map((address) => `${name}/${address}`))
  }

  close(): void {
    this.#announcements.close()
  }
}
