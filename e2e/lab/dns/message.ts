// The wire format of DNS (RFC 1035, SRV of RFC 2782, the size of RFC 6891), as far as a responder for
// Services needs it: one question in, an answer out. Pure; malformed bytes give undefined.

export const TYPE = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const
export const CODE = { ok: 0, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const

export interface Question {
  readonly id: number
  readonly recursionDesired: boolean
  readonly opcode: number
  /** Lower case, without the final dot. */
  readonly name: string
  readonly type: number
  /** The question section as it came, so that the answer repeats it to the letter. */
  readonly section: Buffer
  /** What the asker takes in one datagram. */
  readonly datagramSize: number
}

export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly kind: 'A'; readonly address: string }
  | { readonly kind: 'AAAA'; readonly address: string }
  | { readonly kind: 'CNAME'; readonly target: string }
  | { readonly kind: 'SRV'; readonly port: number; readonly target: string }
)

export interface Answer {
  readonly code: number
  readonly answers: readonly DnsRecord[]
  readonly additional: readonly DnsRecord[]
  /** The zone that answers for sure; its SOA says how long a negative answer holds. */
  readonly zone: string
}

const HEADER = 12
const NEGATIVE_TTL = 5

export function decodeQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER) return undefined
  const flags = message.readUInt16BE(2)
  if ((flags & 0x8000) !== 0 || message.readUInt16BE(4) !== 1) return undefined
  const name = readName(message, HEADER)
  if (name === undefined || name.end + 4 > message.length) return undefined
  const section = message.subarray(HEADER, name.end + 4)
  return {
    id: message.readUInt16BE(0),
    recursionDesired: (flags & 0x0100) !== 0,
    opcode: (flags >> 11) & 0xf,
    name: name.labels.join('.').toLowerCase(),
    type: message.readUInt16BE(name.end),
    section,
    datagramSize: datagramSize(message, name.end + 4),
  }
}

/** Cut to the header and question, with the truncation bit, when it is longer than `limit`. */
export function encodeAnswer(question: Question, answer: Answer, limit: number): Buffer {
  const records = answer.answers.map(encodeRecord)
  const authority = answer.answers.length === 0 ? [encodeSoa(answer.zone)] : []
  const additional = answer.additional.map(encodeRecord)
  const sections = [records, authority, additional]
  const whole = Buffer.concat([
    header(
      question,
      answer.code,
      false,
      sections.map((s) => s.length),
    ),
    question.section,
    ...sections.flat(),
  ])
  if (whole.length <= limit) return whole
  return Buffer.concat([header(question, answer.code, true, [0, 0, 0]), question.section])
}

function header(
  question: Question,
  code: number,
  truncated: boolean,
  [answers = 0, authority = 0, additional = 0]: readonly number[],
): Buffer {
  const out = Buffer.alloc(HEADER)
  const desired = question.recursionDesired ? 0x0100 : 0
  // Answer, authoritative, recursion available: stub resolvers take nothing less.
  const flags = 0x8480 | (question.opcode << 11) | desired | (truncated ? 0x0200 : 0) | code
  const words = [question.id, flags, 1, answers, authority, additional]
  words.forEach((word, i) => out.writeUInt16BE(word, i * 2))
  return out
}

/** No pointers: a question has nothing before it to point at. */
function readName(
  message: Buffer,
  start: number,
): { readonly labels: readonly string[]; readonly end: number } | undefined {
  const labels: string[] = []
  let at = start
  while (at < message.length && at - start <= 255) {
    const length = message[at] ?? 0
    if (length === 0) return { labels, end: at + 1 }
    if (length > 63 || at + 1 + length > message.length) return undefined
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return undefined
}

/** An OPT record directly after the question, as resolvers send it, tells the size; else 512. */
function datagramSize(message: Buffer, at: number): number {
  const isOpt = message.length >= at + 5 && message[at] === 0 && message.readUInt16BE(at + 1) === TYPE.OPT
  return isOpt ? Math.max(message.readUInt16BE(at + 3), 512) : 512
}

function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.')
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ])
}

function encodeRecord(record: DnsRecord): Buffer {
  if (record.kind === 'A') return resource(record, TYPE.A, Buffer.from(record.address.split('.').map(Number)))
  if (record.kind === 'AAAA') return resource(record, TYPE.AAAA, ipv6Bytes(record.address))
  if (record.kind === 'CNAME') return resource(record, TYPE.CNAME, encodeName(record.target))
  return resource(record, TYPE.SRV, Buffer.concat([words([0, 100, record.port]), encodeName(record.target)]))
}

function encodeSoa(zone: string): Buffer {
  const times = Buffer.alloc(20)
  const values = [1, 7200, 1800, 86400, NEGATIVE_TTL]
  values.forEach((value, i) => times.writeUInt32BE(value, i * 4))
  const data = Buffer.concat([encodeName(`ns.dns.${zone}`), encodeName(`hostmaster.${zone}`), times])
  return resource({ name: zone, ttl: NEGATIVE_TTL }, TYPE.SOA, data)
}

function resource(record: Pick<DnsRecord, 'name' | 'ttl'>, type: number, data: Buffer): Buffer {
  const ttl = Buffer.alloc(4)
  ttl.writeUInt32BE(record.ttl)
  return Buffer.concat([encodeName(record.name), words([type, 1]), ttl, words([data.length]), data])
}

function words(values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 2)
  values.forEach((value, i) => out.writeUInt16BE(value, i * 2))
  return out
}

/** Of the canonical forms that the API server gives; `::` may stand for any run of zero groups. */
function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16)))
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return words([...before, ...zeros, ...after])
}
