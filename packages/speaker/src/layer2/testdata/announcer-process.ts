/**
 * All of a speaker's layer 2 on the main thread of a process, so that its turns can be measured: an argument of JSON
 * says who it is, lines on standard input what is desired or asked, lines on standard output what came of it.
 */
import { createInterface } from 'node:readline'
import { Announcer } from '../announcer.ts'
import { DesiredChanges } from '../desired-changes.ts'
import type { Desired, FromWorker, WorkerOptions } from '../messages.ts'
import { LongestTurn } from './longest-turn.ts'

interface Asked {
  readonly desired?: {
    readonly ips: readonly string[]
    readonly nodes: readonly string[]
    readonly peers: Desired['peers']
  }
  readonly usage?: boolean
}

const turns = new LongestTurn()
const options: Omit<WorkerOptions, 'secret'> = JSON.parse(process.argv[2] ?? '')
const tell = (event: string, fields: object = {}): boolean =>
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
const changes = new DesiredChanges()
let [held, serving] = [0, false]
const announcer = new Announcer({ ...options, secret: undefined }, (message: FromWorker) => {
  if (message.kind === 'changes') held += message.changes.length
  if (message.kind === 'report') serving = message.part.serving
})

function ask({ desired, usage }: Asked): void {
  if (desired !== undefined) {
    const { ips, nodes, peers } = desired
    const candidates = nodes.map((node) => ({ node, weight: 0 }))
    const addresses = new Map(ips.map((ip) => [ip, { ip, unit: ip, candidates, interfaces: [] }]))
    for (const part of changes.next({ addresses, peers })) announcer.setDesired(part)
  }
  if (usage === true) tell('usage', { held, serving, rss: process.memoryUsage().rss, longestTurn: turns.take() })
  // What it took to read the line, and what the main thread of a speaker does, is none of a worker's turns.
  turns.skip()
  tell('changed')
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const asked: Asked = JSON.parse(line)
    ask(asked)
  })
  .on('close', () => process.exit(0))
tell('ready')
