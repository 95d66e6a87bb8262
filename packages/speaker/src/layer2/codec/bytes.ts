/** Reading and writing the fields of a datagram, big-endian. A read past the end gives undefined from then on. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity)
  }

  uint(value: number, width: 1 | 2 | 4): this {
    const at = this.#grow(width)
    for (let i = 0; i < width; i++) this.#bytes[at + i] = (value >>> (8 * (width - 1 - i))) & 0xff
    return this
  }

  uint64(value: bigint): this {
    const at = this.#grow(8)
    new DataView(this.#bytes.buffer).setBigUint64(at, value)
    return this
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** With its length in one byte. @throws RangeError above 255 bytes */
  text(text: string): this {
    const bytes = new TextEncoder().encode(text)
    if (bytes.length > 255) throw new RangeError(`${text} is longer than 255 bytes`)
    return this.uint(bytes.length, 1).raw(bytes)
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(by: number): number {
    const at = this.#length
    this.#length += by
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return at
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  #failed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** False once anything was read that is not there. */
  get ok(): boolean {
    return !this.#failed
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  uint(width: 1 | 2 | 4): number {
    const at = this.#take(width)
    if (at === undefined) return 0
    if (width === 1) return this.#view.getUint8(at)
    return width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at)
  }

  uint64(): bigint {
    const at = this.#take(8)
    return at === undefined ? 0n : this.#view.getBigUint64(at)
  }

  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return at === undefined ? new Uint8Array() : this.#bytes.subarray(at, at + length)
  }

  text(): string {
    return new TextDecoder().decode(this.raw(this.uint(1)))
  }

  #take(length: number): number | undefined {
    const at = this.#at
    if (this.#failed || at + length > this.#bytes.length) {
      this.#failed = true
      return undefined
    }
    this.#at += length
    return at
  }
}
