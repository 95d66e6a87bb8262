/**
 * `node --expose-gc main.ts SEED COUNT`: so many mutated messages through decoder and state machine. A line of JSON each
 * 100,000 messages, and at the end what came of them; a line `broken` instead where something threw.
 */
import { Random } from '../../random.ts'
import { corpus } from './corpus.ts'
import { mutated } from './mutation.ts'
import { FuzzedSession } from './session.ts'

const tell = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)
const [seed = 1, count = 100_000] = process.argv.slice(2).map(Number)
const everySoOften = 100_000
const [open, , keepalive] = corpus

const random = new Random(seed)
const session = new FuzzedSession(() => random.next())
let longestMs = 0
let heapBefore = 0
let done = 0
let last: Uint8Array = new Uint8Array(0)

try {
  for (; done < count; done++) {
    if (session.kind !== 'established') session.connect()
    // Some sessions get as far as routes; the others are tried before.
    if (session.kind === 'openSent' && random.chance(0.7)) greet()
    if (random.chance(0.02)) session.dialled()
    last = mutated(random)
    // Of the processor: what others take of it is none of its time.
    const since = process.cpuUsage()
    if (!session.receive(last, random.chance(0.02)) || random.chance(0.01)) session.close()
    const { user, system } = process.cpuUsage(since)
    longestMs = Math.max(longestMs, (user + system) / 1000)
    if (random.chance(0.01)) session.wait()
    if (done % everySoOften === everySoOften - 1) tell({ kind: 'progress', done: done + 1 })
    if (done === Math.floor(count / 10)) heapBefore = heapMiB()
  }
  const grownMiB = heapMiB() - heapBefore
  tell({ kind: 'done', count, longestMs, grownMiB, counts: Object.fromEntries(session.counts) })
} catch (error) {
  tell({ kind: 'broken', seed, done, bytes: Buffer.from(last).toString('hex'), error: String(error) })
}

function greet(): void {
  if (open !== undefined) session.receive(open, false)
  if (keepalive !== undefined && random.chance(0.8)) session.receive(keepalive, false)
}

/** After a collection, where that can be asked for. */
function heapMiB(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}
