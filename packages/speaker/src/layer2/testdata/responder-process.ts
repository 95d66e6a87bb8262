/**
 * The responder alone, as a process in a namespace: an argument of JSON says what answers where, lines on standard
 * input change it, and lines on standard output tell what happened. CPU and memory are told when asked for.
 */
import { createInterface } from 'node:readline'
import { watchInterfaces } from '@landfall/net'
import { ipBytes, parseIP } from '@landfall/netip'
import { type AddressKey, keyOfBytes } from '../codec/ethernet.ts'
import { answeringInterfaces } from '../core/interface-rules.ts'
import { Responder } from '../responder.ts'
import { Announcements } from '../responder-announcements.ts'
import { LongestTurn } from './longest-turn.ts'

interface Change {
  readonly own?: readonly string[]
  readonly disown?: readonly string[]
  /** Interfaces that `own` is for; absent: all. */
  readonly only?: readonly string[]
  /** Without announcements. */
  readonly quiet?: boolean
  /** False: the right to what is owned is gone. */
  readonly mayAnswer?: boolean
  readonly usage?: boolean
}

const tell = (event: string, fields: object = {}): boolean =>
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)

const keys = new Map<string, AddressKey>()
const turns = new LongestTurn()
let [mayAnswer, requests, replies, gratuitous] = [true, 0, 0, 0]
const responder = new Responder({
  mayAnswer: () => mayAnswer,
  request: (_address, answered) => {
    requests++
    if (answered) replies++
  },
  gratuitous: () => void gratuitous++,
  log: (level, event, fields) => void tell(event, { level, ...fields }),
  cut: () => void tell('cut'),
})
const announcements = new Announcements(60_000, (address) => responder.announce(address))
const follow = (): void => {
  const returned = responder.setInterfaces(answeringInterfaces(watch.current, [/^lo$/]))
  if (returned.length > 0) announcements.acquire(keys.values())
  const interfaces = [...keys].slice(0, 4).map(([text, key]) => [text, responder.interfacesOf(key)])
  tell('interfaces', { returned, interfaces: Object.fromEntries(interfaces) })
}
const watch = watchInterfaces(follow)
follow()

function change(change: Change): void {
  const { own = [], disown = [], only } = change
  const keysOf = (texts: readonly string[]): readonly AddressKey[] => texts.map((text) => keys.get(text) ?? '')
  for (const text of own) {
    const ip = parseIP(text)
    if (ip !== undefined) keys.set(text, keyOfBytes(ipBytes(ip)))
  }
  const names = only === undefined ? undefined : new Set(only)
  const [gained, lost] = [keysOf(own), keysOf(disown)]
  // What it took to read the line is none of the responder's.
  turns.skip()
  for (const key of gained) responder.own(key, names)
  for (const key of lost) responder.disown(key)
  if (change.quiet !== true) announcements.acquire(gained)
  announcements.release(lost)
  for (const text of disown) keys.delete(text)
  mayAnswer = change.mayAnswer ?? mayAnswer
  if (change.usage === true) {
    const { rss, heapUsed } = process.memoryUsage()
    const longestTurn = turns.take()
    tell('usage', { ...process.cpuUsage(), rss, heapUsed, requests, replies, gratuitous, longestTurn })
  }
  tell('changed')
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const asked: Change = JSON.parse(line)
    change(asked)
  })
  .on('close', () => process.exit(0))
tell('ready')
