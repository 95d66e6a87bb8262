/** One message of the corpus with bytes changed, cut, doubled, and parts of another in it. */
import type { Random } from '../../random.ts'
import { corpus } from './corpus.ts'

const headerLength = 19
const mostEdits = 6
/** Values that lengths, flags and codes are sensitive to. */
const edges = [0, 1, 2, 4, 0x10, 0x20, 0x21, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xfe, 0xff]
/** How often the header's length is right again afterwards, so that the rest of it is read. */
const framed = 0.9

export function mutated(random: Random): Uint8Array {
  let bytes = [...random.pick(corpus)]
  for (let left = random.whole(1, mostEdits); left > 0; left--) bytes = edit(bytes, random)
  const message = Uint8Array.from(bytes)
  if (message.length >= headerLength && random.chance(framed)) {
    message.fill(0xff, 0, 16)
    message[16] = message.length >> 8
    message[17] = message.length & 0xff
  }
  return message
}

function edit(bytes: readonly number[], random: Random): number[] {
  if (bytes.length === 0) return [random.pick(edges)]
  const at = random.whole(random.chance(framed) ? headerLength : 0, Math.max(headerLength, bytes.length - 1))
  const length = random.whole(1, 12)
  switch (random.whole(0, 6)) {
    case 0:
      return bytes.with(Math.min(at, bytes.length - 1), random.whole(0, 0xff))
    case 1:
      return bytes.with(Math.min(at, bytes.length - 1), random.pick(edges))
    case 2:
      return bytes.slice(0, at)
    case 3:
      return bytes.toSpliced(at, length)
    case 4:
      return bytes.toSpliced(at, 0, ...bytes.slice(at, at + length))
    case 5:
      return bytes.toSpliced(at, 0, ...Array.from({ length }, () => random.pick(edges)))
    default: {
      const other = random.pick(corpus)
      return [...bytes.slice(0, at), ...other.subarray(Math.min(headerLength, other.length))]
    }
  }
}
