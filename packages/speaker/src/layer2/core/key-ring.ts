/**
 * Which key heartbeats carry while the shared secret is replaced (pure). A new secret reaches the speakers one after
 * the other: the one before it stays good for a while, and is still signed with until the others should have the new
 * one. A speaker that uses the new key already gets it back at once: it may know no other.
 */
const signAfterMs = 60_000
const acceptMs = 300_000

interface Replaced {
  readonly key: Uint8Array
  readonly at: number
}

export class KeyRing {
  #current: Uint8Array | undefined
  /** The oldest first. */
  #replaced: readonly Replaced[] = []
  readonly #knowCurrent = new Set<string>()

  /** @param key undefined: heartbeats are not authenticated, and stay so */
  constructor(key: Uint8Array | undefined) {
    this.#current = key
  }

  renew(key: Uint8Array, now: number): void {
    const before = this.#current
    if (before === undefined || sameKey(before, key)) return
    const kept = [...this.#replaced, { key: before, at: now }]
    this.#replaced = kept.filter((one) => now - one.at < acceptMs && !sameKey(one.key, key))
    this.#current = key
    this.#knowCurrent.clear()
  }

  /** The likeliest first; never empty. */
  accepted(now: number): readonly (Uint8Array | undefined)[] {
    return [this.#current, ...this.#replaced.filter(({ at }) => now - at < acceptMs).map(({ key }) => key)]
  }

  /** The peer at the address signed with that key. */
  heard(from: string, key: Uint8Array | undefined): void {
    if (key === this.#current) this.#knowCurrent.add(from)
    else this.#knowCurrent.delete(from)
  }

  signing(to: string, now: number): Uint8Array | undefined {
    if (this.#knowCurrent.has(to)) return this.#current
    return this.#replaced.find(({ at }) => now - at < signAfterMs)?.key ?? this.#current
  }
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
