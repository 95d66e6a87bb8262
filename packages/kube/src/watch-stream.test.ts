import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
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

it('leaves out who manages which field, whatever there is in it, and nothing else', async () => {
  const tricky = fc.constantFrom('"managedFields":[', '[[', ']}', '\\\\', '"', '\\\\"]')
  const field = fc.oneof(fc.jsonValue(), tricky, fc.dictionary(tricky, fc.jsonValue()))
  const managed = fc.record({ fields: fc.array(field), text: fc.oneof(fc.string(), tricky), plain: event })
  await fc.assert(
    fc.asyncProperty(managed, async ({ fields, text, plain }) => {
      const { metadata, ...rest } = plain.object
      const of = (managedFields: readonly unknown[]) => {
        const object = { ...rest, metadata: { ...metadata, annotations: { [text]: text }, managedFields } }
        return { type: plain.type, object: { ...object, spec: { text, list: [text] } } }
      }
      const bytes = Buffer.from(`${JSON.stringify(of(fields))}\n`)
      expect(await read([bytes])).toEqual({ events: [of([])], bad: [] })
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
  const batches = watchEvents(stream, { idleMs: () => 1000, onBadLine: () => {} })
  let pieces = 0
  const timer = setInterval(() => {
    stream.write(' ')
    if (++pieces === 40) clearInterval(timer)
  }, 50)
  await expect(batches.next()).rejects.toBeInstanceOf(SilenceError)
  expect(pieces).toBe(40)
})

it('gives what came in one turn of the loop together, and takes no more than it is asked for', async () => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const line = (name: string, size = 1) =>
    `${JSON.stringify({ type: 'ADDED', object: configMap(name, 1, { value: 'x'.repeat(size) }) })}\n`
  const batches = watchEvents(stream, { idleMs: () => 5000, onBadLine: () => {} })
  const next = async () => {
    const { value = [] } = await batches.next()
    return [...value].map(({ object }) => object.metadata.name)
  }
  for (const name of ['a', 'b', 'c']) stream.write(line(name))
  const first = await next()
  expect([...first, ...(first.length < 3 ? await next() : [])]).toEqual(['a', 'b', 'c'])
  for (const name of ['d', 'e', 'f']) stream.write(line(name, 700_000))
  await setImmediate()
  expect(stream.isPaused()).toBe(true)
  const rest: string[] = []
  while (rest.length < 3) rest.push(...(await next()))
  expect(rest).toEqual(['d', 'e', 'f'])
  await batches.return(undefined)
})

it('gives what came before the stream broke, then says how it broke', async () => {
  const stream = new PassThrough()
  const batches = watchEvents(stream, { idleMs: () => 5000, onBadLine: () => {} })
  stream.write(`${JSON.stringify({ type: 'ADDED', object: configMap('a', 1) })}\n`)
  const first = await batches.next()
  expect([...(first.value ?? [])]).toHaveLength(1)
  stream.destroy(new Error('cut off'))
  await expect(batches.next()).rejects.toThrow('cut off')
})

it('takes a stream that is closed without an end for broken', async () => {
  const stream = new PassThrough()
  const batches = watchEvents(stream, { idleMs: () => 5000, onBadLine: () => {} })
  setTimeout(() => stream.destroy(), 10)
  await expect(batches.next()).rejects.toThrow('closed before its end')
})
