/**
 * The fewest UPDATEs for routes of one attribute set, and for withdrawals, none above the message limit.
 *
 * IPv4 with an IPv4 next hop goes into the message's own fields, which every peer reads; all else into MP_REACH and
 * MP_UNREACH, which lead the attributes (RFC 7606 §5.1).
 */
import type { Family, Prefix } from '@landfall/netip'
import type { Attribute, NextHop } from './attribute.ts'
import { writeAttribute } from './attribute-list.ts'
import { attributeTable } from './attribute-table.ts'
import { ByteWriter } from './bytes.ts'
import { headerLength } from './header.ts'
import type { SessionContext } from './message.ts'
import { mpReachOverhead, mpUnreachOverhead } from './multiprotocol.ts'
import { nlriLength } from './nlri.ts'
import type { UpdateMessage } from './update.ts'

/** Routes of one family with the same attributes. */
export interface Announcement {
  readonly family: Family
  readonly nextHop: NextHop
  /** Without next hop and MP attributes. */
  readonly attributes: readonly Attribute[]
  readonly prefixes: readonly Prefix[]
}

const fixedLength = headerLength + 4
/** Flags, type and a length of two bytes. */
const attributeHeader = 4

/** undefined if the attributes leave no room for a single prefix. */
export function packAnnouncement(
  announcement: Announcement,
  context: SessionContext,
): readonly UpdateMessage[] | undefined {
  const { family, nextHop, prefixes } = announcement
  const classic = family === 4 && nextHop.address.family === 4
  const attributes = byType([
    ...announcement.attributes,
    ...(classic ? [{ kind: 'nextHop', address: nextHop.address } as const] : []),
  ])
  const overhead = classic ? 0 : attributeHeader + mpReachOverhead(nextHop)
  const room = context.messageLimit - fixedLength - overhead - lengthOf(attributes, context)
  const longest = family === 4 ? 5 : 17
  if (room < longest) return undefined
  return split(prefixes, room).map((chunk) =>
    classic
      ? { kind: 'update', withdrawn: [], attributes, announced: chunk }
      : {
          kind: 'update',
          withdrawn: [],
          attributes: [{ kind: 'mpReach', family, nextHop, prefixes: chunk }, ...attributes],
          announced: [],
        },
  )
}

export function packWithdrawal(
  family: Family,
  prefixes: readonly Prefix[],
  context: SessionContext,
): readonly UpdateMessage[] {
  const overhead = family === 4 ? 0 : attributeHeader + mpUnreachOverhead
  return split(prefixes, context.messageLimit - fixedLength - overhead).map((chunk) =>
    family === 4
      ? { kind: 'update', withdrawn: chunk, attributes: [], announced: [] }
      : {
          kind: 'update',
          withdrawn: [],
          attributes: [{ kind: 'mpUnreach', family, prefixes: chunk }],
          announced: [],
        },
  )
}

/** The mark that the family's routes have all been sent (RFC 4724 §2). */
export function endOfRib(family: Family): UpdateMessage {
  const attributes: readonly Attribute[] = family === 4 ? [] : [{ kind: 'mpUnreach', family, prefixes: [] }]
  return { kind: 'update', withdrawn: [], attributes, announced: [] }
}

function byType(attributes: readonly Attribute[]): readonly Attribute[] {
  return attributes.toSorted((a, b) => typeOf(a) - typeOf(b))
}

function typeOf(attribute: Attribute): number {
  return attribute.kind === 'other' ? attribute.type : attributeTable[attribute.kind].type
}

function lengthOf(attributes: readonly Attribute[], context: SessionContext): number {
  const writer = new ByteWriter(256)
  for (const attribute of attributes) writeAttribute(writer, attribute, context)
  return writer.length
}

function split(prefixes: readonly Prefix[], room: number): readonly (readonly Prefix[])[] {
  const chunks: Prefix[][] = []
  let left = 0
  for (const prefix of prefixes) {
    const length = nlriLength(prefix)
    const last = chunks.at(-1)
    if (last === undefined || length > left) {
      chunks.push([prefix])
      left = room - length
    } else {
      last.push(prefix)
      left -= length
    }
  }
  return chunks
}
