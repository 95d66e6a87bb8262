/** Segments of AS_PATH and AS4_PATH, with AS numbers of two or four octets (RFC 4271 §4.3, RFC 6793). */
import type { PathSegment } from './attribute.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { asFieldOf } from './open.ts'

const segmentType = { set: 1, sequence: 2 } as const

/** With two octets an AS number that does not fit becomes AS_TRANS. */
export function writePath(writer: ByteWriter, segments: readonly PathSegment[], fourOctet: boolean): void {
  for (const segment of segments) {
    writer.u8(segmentType[segment.kind])
    writer.u8(segment.asns.length)
    for (const asn of segment.asns) {
      if (fourOctet) writer.u32(asn)
      else writer.u16(asFieldOf(asn))
    }
  }
}

/** undefined for an unknown segment type, an empty segment, or one that runs past the end. */
export function readPath(bytes: Uint8Array, fourOctet: boolean): readonly PathSegment[] | undefined {
  const reader = new ByteReader(bytes)
  const segments: PathSegment[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()
    const kind = type === segmentType.set ? 'set' : type === segmentType.sequence ? 'sequence' : undefined
    const count = reader.u8()
    if (kind === undefined || count === 0 || reader.remaining < count * (fourOctet ? 4 : 2)) return undefined
    const asns: number[] = []
    for (let i = 0; i < count; i++) asns.push(fourOctet ? reader.u32() : reader.u16())
    segments.push({ kind, asns })
  }
  return segments
}
