/** The inner end of a passage, in the program itself, which it does not keep from ending. */
import { connect, createServer } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { coupled, passageVariable } from './passage.ts'

const sockets: Readonly<Record<string, string>> = JSON.parse(process.env[passageVariable] ?? '{}')

// A worker imports what the program does.
for (const [port, path] of isMainThread ? Object.entries(sockets) : [])
  createServer((one) => coupled(one.unref(), connect(path).unref()))
    .listen(Number(port), '127.0.0.1')
    .unref()
