/**
 * The other side of the responder's bench, as a process in a namespace: asks who has addresses, at a pace, at once
 * or for nothing (noise), or listens to announcements. The argument is a Load; the result is one line of JSON.
 */
import { listInterfaces, PacketRing } from '@landfall/net'
import { ipBytes, parseIP } from '@landfall/netip'
import { type AddressKey, ethertypeArp, ethertypeIPv6, keyOfBytes, newFrame } from '../codec/ethernet.ts'
import { checksum, solicitedNodeGroup } from '../codec/ndp.ts'

type Load =
  /** One request a millisecond to one target after the other: the times to each answer, in µs. */
  | { readonly kind: 'paced'; readonly targets: readonly string[]; readonly count: number }
  /** Each target `times` over as fast as they can be sent: how many answers came, within `waitMs` after the last at most. */
  | { readonly kind: 'burst'; readonly targets: readonly string[]; readonly times: number; readonly waitMs: number }
  | { readonly kind: 'noise'; readonly target: string; readonly perSecond: number; readonly ms: number }
  /** When the first announcement of each address came, in ms of the monotonic clock. */
  | { readonly kind: 'listen'; readonly addresses: number; readonly ms: number }

const load: Load = JSON.parse(process.argv[2] ?? '')
const own = listInterfaces().find(({ name }) => name === 'eth0')
if (own === undefined) throw new Error('no eth0')
const { index, mac } = own
const everything = Buffer.from(Uint8Array.of(6, 0, 0, 0, 0xff, 0xff, 0, 0))
let heard: (address: AddressKey, at: number) => void = () => {}

const arp = new PacketRing({
  ethertype: ethertypeArp,
  slotBytes: 128,
  filter: everything,
  onFrame: (frame) => heard(keyOfBytes(frame.subarray(28, 32)), performance.now()),
})
const ndp = new PacketRing({
  ethertype: ethertypeIPv6,
  slotBytes: 256,
  filter: everything,
  onFrame: (frame) => {
    if (frame[54] === 136) heard(keyOfBytes(frame.subarray(62, 78)), performance.now())
  },
})

interface Question {
  readonly key: AddressKey
  ask(): boolean
}

function questionFor(text: string): Question {
  const ip = parseIP(text)
  if (ip === undefined) throw new Error(`no address: ${text}`)
  const target = ipBytes(ip)
  const frame = ip.family === 4 ? arpRequest(target) : solicitation(target)
  const ring = ip.family === 4 ? arp : ndp
  return { key: keyOfBytes(target), ask: () => ring.send(frame, index) }
}

function arpRequest(target: Uint8Array): Uint8Array {
  const frame = newFrame(new Uint8Array(6).fill(0xff), mac, ethertypeArp, 28)
  frame.set([0, 1, 8, 0, 6, 4, 0, 1, ...mac, 198, 18, 0, 250], 14)
  frame.set(target, 38)
  return frame
}

function solicitation(target: Uint8Array): Uint8Array {
  const group = solicitedNodeGroup(target)
  const frame = newFrame(Uint8Array.of(0x33, 0x33, ...group.slice(12)), mac, ethertypeIPv6, 72)
  const source = Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 250)
  frame.set([0x60, 0, 0, 0, 0, 32, 58, 255, ...source, ...group, 135], 14)
  frame.set(target, 62)
  frame.set([1, 1, ...mac], 78)
  const sum = checksum(source, group, frame.subarray(54))
  frame.set([sum >> 8, sum & 0xff], 56)
  return frame
}

async function paced(targets: readonly string[], count: number): Promise<object> {
  const questions = targets.map(questionFor)
  const asked = new Map<AddressKey, number>()
  const times = new Map<AddressKey, number[]>(questions.map(({ key }) => [key, []]))
  heard = (address, at) => {
    const since = asked.get(address)
    if (since === undefined) return
    asked.delete(address)
    times.get(address)?.push((at - since) * 1000)
  }
  for (let i = 0; i < count; i++) {
    const question = questions[i % questions.length]
    if (question === undefined) break
    asked.set(question.key, performance.now())
    question.ask()
    await sleep(1)
  }
  await sleep(200)
  return { lost: asked.size, times: questions.map(({ key }) => times.get(key)) }
}

async function burst(targets: readonly string[], repetitions: number, waitMs: number): Promise<object> {
  const questions = targets.map(questionFor)
  let answers = 0
  let last = 0
  heard = (_address, at) => {
    answers++
    last = at
  }
  const started = performance.now()
  let refused = 0
  for (let i = 0; i < repetitions; i++) for (const question of questions) if (!question.ask()) refused++
  const sent = performance.now()
  const all = repetitions * questions.length
  while (performance.now() < sent + waitMs) {
    if (answers >= all) break
    await sleep(5)
  }
  return { answers, refused, sendMs: sent - started, lastAfterMs: last - started }
}

async function noise(target: string, perSecond: number, ms: number): Promise<object> {
  const question = questionFor(target)
  const started = performance.now()
  let sent = 0
  while (performance.now() - started < ms) {
    for (const due = ((performance.now() - started) * perSecond) / 1000; sent < due; sent++) question.ask()
    await sleep(1)
  }
  return { perSecond: (sent * 1000) / (performance.now() - started) }
}

async function listen(addresses: number, ms: number): Promise<object> {
  const first = new Set<AddressKey>()
  let [began, last] = [0, 0]
  heard = (address) => {
    if (first.has(address)) return
    last = Number(process.hrtime.bigint()) / 1e6
    if (first.size === 0) began = last
    first.add(address)
  }
  process.stdout.write('listening\n')
  for (const until = performance.now() + ms; performance.now() < until && first.size < addresses; ) await sleep(5)
  return { addresses: first.size, first: began, last }
}

async function run(): Promise<object> {
  switch (load.kind) {
    case 'paced':
      return await paced(load.targets, load.count)
    case 'burst':
      return await burst(load.targets, load.times, load.waitMs)
    case 'noise':
      return await noise(load.target, load.perSecond, load.ms)
    default:
      return await listen(load.addresses, load.ms)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

void run().then((result) => {
  process.stdout.write(`${JSON.stringify(result)}\n`)
  arp.close()
  ndp.close()
})
