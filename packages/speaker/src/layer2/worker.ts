/** Entry of the worker thread of layer 2 and BFD. An error here ends the thread, and the main thread ends the process. */
import { parentPort, workerData } from 'node:worker_threads'
import { BfdEngine } from '../bfd/index.ts'
import { Announcer } from './announcer.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('the layer 2 worker runs in a worker thread only')

const options: WorkerOptions = workerData
const post = (message: FromWorker): void => port.postMessage(message)
const announcer = new Announcer(options, post)
const bfd = new BfdEngine((message) => post({ kind: 'bfd', message }))

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'desired':
      announcer.setDesired(message.part)
      break
    case 'secret':
      announcer.setSecret(message.secret)
      break
    case 'blind':
      announcer.setBlind(message.blind)
      break
    case 'rebalance':
      announcer.rebalance()
      break
    case 'bfd':
      bfd.handle(message.message)
      break
    case 'ping':
      post({ kind: 'pong', sequence: message.sequence })
      break
    case 'leave':
      void announcer.leave().then((handedOver) => post({ kind: 'left', handedOver }))
      break
    case 'stop':
      void Promise.all([announcer.stop(), bfd.stop()]).then(() => {
        post({ kind: 'stopped' })
        port.close()
      })
      break
  }
})
post({ kind: 'started' })
