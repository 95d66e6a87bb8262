import { PassThrough } from 'node:stream'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { configMap } from './testing/fake-api-server.ts'
import { SilenceError, type WatchEvent, watchEvents } from './watch-stream.ts'

async function read(pieces: readonly Uint8Array[]) {
  const stream = new PassThrough()
  const events: WatchEvent[] = []
  const bad: string[] = []
  for (const piece of pieces) stream.write(piece)
  stream.end()
  const batches = watchEvents(stream, { idleMs: () => 1000, onBadLine: (line) => void bad.push(line) })
  for await (const batch of batches) events.push(...batch)
  return { events, bad }
}

/** Cuts bytes where the numbers say. */
function cut(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((at) => at % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...places].map((at, index) => bytes.subarray(at, places[index] ?? bytes.length))
}

const event = fc
  .record({ name: fc.string({ unit: 'grapheme', minLength: 1 }), value: fc.string({ unit: 'grapheme' }) })
  .map(({ name, value }): WatchEvent => ({ type: 'ADDED', object: configMap(name, 1, { value }) }))

it('gives the same events however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event), fc.array(fc.nat(), { maxLength: 20 }), async (events, cuts) => {
      const bytes = Buffer.from(events.map((one) => `${JSON.stringify(one)}\n`).join(''))
      expect(await read(cut(bytes, cuts))).toEqual({ events, bad: [] })
    }),
  )
})

it('passes over whatever is no event, and loses nothing else', async () => {
  const good: WatchEvent = { type: 'ADDED', object: configMap('good', 1) }
  const line = Buffer.from(`${JSON.stringify(good)}\n`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string(), fc.json(), fc.constant('{"type":"ADDED","object":{"metadata":{}}}'))),
      async (texts) => {
        const rubbish = texts.filter((text) => !text.includes('\n') && text !== '')
        const pieces = rubbish.flatMap((text) => [Buffer.from(`${text}\n`), line])
        const { events, bad } = await read(pieces)
        expect(events).toEqual(rubbish.map(() => good))
        expect(bad).toHaveLength(rubbish.length)
      },
    ),
  )
})

it('leaves out a last line that was cut off', async () => {
  expect(await read([Buffer.from('{"type":"ADDED","object":{"metadata":{"name":"a"}}}')])).toEqual({
    events: [],
    bad: [],
  })
})

it('ends with an error after silence, but not while pieces come', async () => {
  const stream = new PassThrough()
  const batches = watchEvents(stream, { idleMs: () => 60, onBadLine: () => {} })
  const started = performance.now()
  const timer = setInterval(() => void stream.write(' '), 20)
  setTimeout(() => clearInterval(timer), 150)
  await expect(batches.next()).rejects.toBeInstanceOf(SilenceError)
  expect(performance.now() - started).toBeGreaterThan(180)
})
