/** BFD alone in a worker thread, for tests. Each message comes with its time. */
import { parentPort } from 'node:worker_threads'
import { BfdEngine, type ToBfd } from '../index.ts'

const port = parentPort
if (port === null) throw new Error('runs in a worker thread only')
const engine = new BfdEngine((message) =>
  port.postMessage({ message, at: performance.timeOrigin + performance.now() }),
)
port.on('message', (message: ToBfd | 'stop') => {
  if (message === 'stop') void engine.stop().then(() => port.close())
  else engine.handle(message)
})
